#include "eventlog/redis_trail.hpp"

#include <algorithm>
#include <limits>

namespace carillon::eventlog {
namespace {

Offset just_before(Offset offset) {
  if (offset.low > 0) return {offset.high, offset.low - 1};
  return offset.high > 0 ? Offset{offset.high - 1, std::numeric_limits<std::uint64_t>::max()} : Offset{};
}

}  // namespace

Offset RedisStreamState::before_first() const {
  if (length == 0) return last;
  if (length == added) return {};
  return std::max(just_before(first), deleted);
}

void RedisTrail::begin(Offset after, const RedisStreamState& state) {
  if (has_begun_ && after == place_) return;
  has_begun_ = true;
  place_ = after;
  is_entry_ = false;
  count_.reset();
  if (after == state.last) {
    count_ = state.added;
  } else if (after < state.last && after >= state.deleted && (state.length == 0 || after < state.first)) {
    count_ = state.added - state.length;
  }
}

std::optional<GapReason> RedisTrail::look(const RedisStreamState& state) const {
  if (state.last < place_ || (count_ && state.added < *count_)) return GapReason::epoch;
  if (state.deleted > place_) return GapReason::trimmed;
  const bool has_older = state.length > 0 && state.first <= place_;
  if (has_older || state.last == place_) return std::nullopt;
  // Where the count is not known the reader was behind, and trimming has passed it.
  const std::uint64_t gone = state.added - std::min(state.length, state.added);
  if (!count_ || gone > *count_) return GapReason::trimmed;
  if (gone < *count_) return GapReason::epoch;
  return std::nullopt;
}

std::optional<GapReason> RedisTrail::compare(const RedisStreamState& state, const Found& found) const {
  if (const std::optional<GapReason> gap = look(state)) return gap;
  const bool has_older = state.length > 0 && state.first <= place_;
  if (is_entry_ && has_older && !found.has_place && state.deleted < place_) return GapReason::epoch;
  if (!count_) return std::nullopt;
  const std::uint64_t counted = *count_ + found.after;
  if (counted > state.added) return GapReason::epoch;
  if (found.is_all && counted < state.added) return GapReason::trimmed;
  return std::nullopt;
}

std::optional<GapReason> RedisTrail::go_on(const RedisStreamState& state, const Found& found) {
  if (const std::optional<GapReason> gap = compare(state, found)) return gap;
  if (count_) *count_ += found.after;
  if (found.is_all) count_ = state.added;
  if (found.after > 0) {
    place_ = found.last;
    is_entry_ = true;
  }
  return std::nullopt;
}

}  // namespace carillon::eventlog
