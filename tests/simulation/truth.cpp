#include "simulation/truth.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

namespace carillon::simulation {

namespace {

constexpr std::chrono::hours kAlertAge{1};

// A number as it is written without leading zeros.
template <class Number>
std::optional<Number> number(std::string_view text, int base) {
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  return value;
}

}  // namespace

bool Truth::is_over(OrderStatus status) {
  return status == OrderStatus::filled || status == OrderStatus::canceled || status == OrderStatus::rejected ||
         status == OrderStatus::expired;
}

bool covers(const Lanes& place, const Lanes& other) {
  for (std::size_t lane = 0; lane < place.size(); ++lane)
    if (place[lane] < other[lane]) return false;
  return true;
}

Lanes Truth::end() const {
  Lanes place = begin();
  for (const Entry& entry : entries_) place[entry.lane] = entry.offset;
  return place;
}

std::string Truth::position_of(const Lanes& place) const {
  char epoch[16];
  const auto end = std::to_chars(epoch, epoch + sizeof epoch, epoch_, 16).ptr;
  std::string text = "s" + std::string(epoch, end);
  for (const std::uint64_t offset : place) text += "." + std::to_string(offset);
  return text;
}

void Truth::append(std::uint64_t offset, WallTime now, std::string bytes, Meaning meaning) {
  Entry entry{.lane = meaning.lane,
              .offset = offset,
              .name = "record " + std::to_string(offset) + " of lane " + std::to_string(meaning.lane),
              .logged_at = now,
              .bytes = std::move(bytes),
              .meaning = std::move(meaning),
              .reason = {},
              .repeats = {}};
  entry.reason = judge(entry);
  if (entry.is_published() && entry.meaning.kind == EventKind::order_update)
    orders_[entry.meaning.order] = entries_.size();
  lanes_[entry.lane].push_back(entries_.size());
  entries_.push_back(std::move(entry));
}

std::string_view Truth::judge(Entry& entry) {
  if (!entry.meaning.is_valid) return "invalid";
  if (const auto reason = judge_id(entry); !reason.empty()) return reason;
  return entry.meaning.kind == EventKind::order_update ? judge_order(entry) : "";
}

// An id is one event's for a while; a log of our own never holds it twice.
std::string_view Truth::judge_id(Entry& entry) {
  if (!scenario_.is_broker || entry.meaning.id.empty()) return "";
  const auto [first, is_new] = ids_.try_emplace(entry.meaning.id, entries_.size());
  if (is_new) return "";
  const Entry& before = entries_[first->second];
  if (entry.logged_at - before.logged_at > scenario_.id_memory) {
    first->second = entries_.size();
    return "";
  }
  entry.repeats = first->second;
  return before.meaning == entry.meaning ? "duplicate" : "id_conflict";
}

std::string_view Truth::judge_order(const Entry& entry) const {
  const auto found = orders_.find(entry.meaning.order);
  if (found == orders_.end()) return "";
  const Entry& stands = entries_[found->second];
  const bool is_over_now = is_over(stands.meaning.status);
  if (is_over_now && entry.logged_at - stands.logged_at > scenario_.terminal_memory) return "";
  if (entry.meaning.user != stands.meaning.user) return "owner_mismatch";
  if (is_over_now) return "after_terminal";
  if (entry.meaning.payload == stands.meaning.payload) return "repeat";
  if (entry.meaning.status == OrderStatus::submitted && stands.meaning.status != OrderStatus::submitted)
    return "submitted_again";
  if (entry.meaning.filled < stands.meaning.filled) return "filled_fell";
  return "";
}

std::size_t Truth::count_up_to(std::size_t lane, std::uint64_t offset) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(lanes_[lane], [&](std::size_t entry) { return entries_[entry].offset <= offset; }));
}

// A lane that is not named is at its begin.
std::expected<Lanes, GapReason> Truth::read(std::string_view position) const {
  const std::size_t dot = position.find('.');
  if (dot == std::string_view::npos || position.front() != 's') return std::unexpected(GapReason::unknown);
  const auto epoch = number<std::uint32_t>(position.substr(1, dot - 1), 16);
  Lanes place;
  for (std::size_t at = dot; at != std::string_view::npos;) {
    const std::size_t end = position.find('.', at + 1);
    const auto offset = number<std::uint64_t>(position.substr(at + 1, end - at - 1), 10);
    if (!epoch || !offset) return std::unexpected(GapReason::unknown);
    place.push_back(*offset);
    at = end;
  }
  if (*epoch != epoch_) return std::unexpected(GapReason::epoch);
  if (place.size() > lanes_.size()) return std::unexpected(GapReason::unknown);
  place.resize(lanes_.size());
  if (!covers(end(), place)) return std::unexpected(GapReason::unknown);
  return place;
}

bool Truth::concerns(const Entry& entry, std::size_t user, Grants grants) {
  const Meaning& meaning = entry.meaning;
  if (meaning.kind == EventKind::order_update) return grants.has(Grant::orders) && meaning.user == user;
  if (meaning.kind == EventKind::new_trade_signal && !grants.has(Grant::signals)) return false;
  return meaning.audience == 0 || (meaning.audience >> user & 1U) != 0;
}

std::size_t Truth::next_for(std::size_t user, Grants grants, const Lanes& place) const {
  const auto found = std::ranges::find_if(entries_, [&](const Entry& entry) {
    return entry.offset > place[entry.lane] && entry.is_published() && concerns(entry, user, grants);
  });
  return static_cast<std::size_t>(found - entries_.begin());
}

std::vector<std::size_t> Truth::snapshot(std::size_t user, Grants grants, const Lanes& place, WallTime now,
                                         std::size_t floor) const {
  std::map<std::size_t, std::size_t> latest;
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const Entry& entry = entries_[i];
    if (entry.offset > place[entry.lane] || !entry.is_published() || !concerns(entry, user, grants)) continue;
    const bool is_alert = entry.meaning.kind == EventKind::system_alert;
    if (entry.meaning.kind == EventKind::order_update) latest[entry.meaning.order] = i;
    if (is_alert && entry.meaning.level >= AlertLevel::error && now - entry.logged_at <= kAlertAge && i >= floor)
      found.push_back(i);
  }
  for (const auto& [order, last] : latest)
    if (!is_over(entries_[last].meaning.status)) found.push_back(last);
  std::ranges::sort(found);
  return found;
}

}  // namespace carillon::simulation
