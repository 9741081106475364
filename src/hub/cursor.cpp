#include "hub/cursor.hpp"

#include <algorithm>
#include <utility>

#include "protocol/text_frame.hpp"

namespace carillon::hub {

namespace {

// Looked at in one reading: a client whose events are few among many must not hold up the others while it catches up.
constexpr std::uint64_t kLooksMax = 8192;

constexpr std::string_view kReplayedMark = ",\"replayed\":true";
constexpr std::string_view kSnapshotMark = ",\"snapshot\":true";

void append_marked(std::string& frames, const Publication& publication, std::string_view mark) {
  protocol::append_with_member(frames, publication.frame, publication.mark_at, mark);
}

}  // namespace

std::optional<GapReason> Cursor::begin(Beginning beginning, const RecentWindow& window, const CurrentState& state,
                                       const Viewer& viewer, MonoTime now) {
  next_ = window.end();
  behind_ = true;
  catching_up_ = std::make_unique<CatchingUp>();
  std::optional<GapReason> gap;
  if (beginning.resume) {
    const auto& ordinal = beginning.resume->ordinal;
    if (!ordinal)
      gap = ordinal.error();
    else if (*ordinal < window.ordinal_before())
      gap = GapReason::trimmed;
    catching_up_->is_replay = !gap;
    if (!gap && *ordinal > window.last_ordinal())
      ahead_ = std::make_unique<const Ahead>(*ordinal, std::move(beginning.resume->position));
    else if (!gap)
      next_ = window.first_after(*ordinal);
  }
  if (!catching_up_->is_replay && beginning.wants_snapshot)
    catching_up_->snapshot = state.of(viewer.user, viewer.grants, now);
  return gap;
}

Reading Cursor::read(const RecentWindow& window, const Viewer& viewer, std::size_t bytes_max, std::string& frames,
                     DeliveryObserver* observer) {
  if (next_ < window.begin()) return {.gap = true};
  if (catching_up_ == nullptr || catching_up_->is_replay)
    return read_window(window, viewer, bytes_max, frames, observer);
  Reading reading = read_snapshot(viewer, bytes_max, frames);
  if (!reading.is_live) return reading;
  catching_up_.reset();
  behind_ = next_ < window.end();
  reading.at_end = !behind_;
  return reading;
}

Reading Cursor::read_snapshot(const Viewer& viewer, std::size_t bytes_max, std::string& frames) {
  CatchingUp& state = *catching_up_;
  Reading reading;
  const std::size_t before = frames.size();
  while (state.sent < state.snapshot.size() && frames.size() - before < bytes_max) {
    const Publication& publication = *state.snapshot[state.sent++];
    if (!may_see(viewer.user, viewer.grants, publication)) continue;  // the grants may have changed meanwhile
    append_marked(frames, publication, kSnapshotMark);
    ++reading.count;
  }
  reading.is_live = state.sent == state.snapshot.size();
  return reading;
}

Reading Cursor::read_window(const RecentWindow& window, const Viewer& viewer, std::size_t bytes_max,
                            std::string& frames, DeliveryObserver* observer) {
  Reading reading;
  const std::uint64_t looks_end = std::min(window.end(), next_ + kLooksMax);
  const std::size_t before = frames.size();
  for (; next_ < looks_end && frames.size() - before < bytes_max; ++next_) {
    const Publication& publication = window.at(next_);
    if (!may_see(viewer.user, viewer.grants, publication)) continue;
    if (ahead_ != nullptr && publication.ordinal <= ahead_->ordinal) continue;
    ++reading.count;
    if (catching_up_ != nullptr) {
      append_marked(frames, publication, kReplayedMark);
      continue;
    }
    frames.append(publication.frame);
    if (observer != nullptr) observer->on_delivery(publication);
  }
  if (catching_up_ != nullptr) catching_up_->replayed += reading.count;
  if (!is_ahead(window)) ahead_.reset();
  behind_ = next_ < window.end();
  reading.at_end = !behind_;
  if (behind_) return reading;
  if (catching_up_ != nullptr) {
    reading.is_live = true;
    reading.replayed = catching_up_->replayed;
    catching_up_.reset();
  }
  return reading;
}

bool Cursor::is_ahead(const RecentWindow& window) const {
  return ahead_ != nullptr && ahead_->ordinal > window.ordinal_before(next_);
}

const Position& Cursor::position(const RecentWindow& window) const {
  return is_ahead(window) ? ahead_->position : window.position_before(next_);
}

Ordinal Cursor::ordinal(const RecentWindow& window) const {
  return is_ahead(window) ? ahead_->ordinal : window.ordinal_before(next_);
}

}  // namespace carillon::hub
