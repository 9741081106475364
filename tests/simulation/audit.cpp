#include "simulation/audit.hpp"

#include <algorithm>
#include <utility>

#include "protocol/timestamp.hpp"

namespace carillon::simulation {

namespace {

std::string_view word(GapReason reason) {
  return reason == GapReason::trimmed ? "trimmed" : reason == GapReason::epoch ? "epoch" : "unknown";
}

std::string said(const std::optional<GapReason>& gap) {
  return gap ? std::string(word(*gap)) : "complete";
}

std::optional<GapReason> read_word(std::string_view text) {
  for (const GapReason reason : {GapReason::trimmed, GapReason::epoch, GapReason::unknown})
    if (word(reason) == text) return reason;
  return std::nullopt;
}

bool looks_like_a_position(std::string_view text) {
  constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~-";
  return !text.empty() && text.size() <= 512 && text.find_first_not_of(kLetters) == std::string_view::npos;
}

std::string in_quotes(std::string_view text) {
  return "'" + std::string(text) + "'";
}

}  // namespace

std::string Audit::name(std::size_t entry) const {
  const auto& entries = known_.truth.entries();
  return entry < entries.size() ? entries[entry].name : "nothing more";
}

std::optional<std::string> Audit::take(const ServerFrame& frame, bool was_behind) {
  if (phase_ == Phase::closed) return "a frame after the close frame";
  if (std::holds_alternative<UnreadableFrame>(frame)) return "a frame that no client can read";
  if (const auto* const close = std::get_if<CloseFrame>(&frame)) {
    phase_ = Phase::closed;
    coverage_.add(Seen::closed_as_slow);
    if (close->code == 4420 && was_behind) return std::nullopt;
    return "expected no close, got " + std::to_string(close->code);
  }
  if (const auto* const ok = std::get_if<AuthOkFrame>(&frame)) return on(*ok);
  if (phase_ == Phase::nothing_yet) return "expected auth_ok first, got another message";
  if (const auto* const notification = std::get_if<NotificationFrame>(&frame)) return on(*notification);
  if (const auto* const live = std::get_if<LiveFrame>(&frame)) return on(*live);
  return on(std::get<PingFrame>(frame));
}

Audit::Complaint Audit::on(const AuthOkFrame& frame) {
  if (phase_ != Phase::nothing_yet) return on_refresh(frame);
  if (frame.user != kUsers.at(known_.user)) return "auth_ok for " + in_quotes(frame.user);
  const Asked& asked = known_.asked;
  if (frame.resume.has_value() != asked.resume.has_value()) return "auth_ok tells of a resume or not, wrongly";
  phase_ = asked.wants_snapshot ? Phase::snapshot : Phase::live_at_once;
  if (!asked.resume) return std::nullopt;
  const bool echoes = looks_like_a_position(*asked.resume);
  if (frame.resume->requested.has_value() != echoes || (echoes && *frame.resume->requested != *asked.resume))
    return "the resume's answer names another position";
  const auto gap = read_word(frame.resume->reason);
  if (!gap && !frame.resume->reason.empty()) return "no such reason: " + in_quotes(frame.resume->reason);
  if (auto wrong = check_answer(gap)) return wrong;
  const Seen seen[] = {Seen::trimmed, Seen::other_epoch, Seen::unknown};
  coverage_.add(gap ? seen[static_cast<std::size_t>(*gap)] : Seen::resumed);
  if (gap) return std::nullopt;
  const bool is_ahead = !covers(known_.shard_has, *asked_at_);
  coverage_.add(Seen::ahead_of_node, is_ahead ? 1 : 0);
  coverage_.add(Seen::ahead_in_some_lanes, is_ahead && !covers(*asked_at_, known_.shard_has) ? 1 : 0);
  phase_ = Phase::replay;
  begin_at(*asked_at_);
  return std::nullopt;
}

Audit::Complaint Audit::on_refresh(const AuthOkFrame& frame) {
  if (refreshes_.empty() || frame.resume) return "an auth_ok that answers nothing";
  coverage_.add(Seen::refreshes);
  held_.push_back({.grants = std::exchange(grants_, refreshes_.front().grants), .until = refreshes_.front().until});
  refreshes_.erase(refreshes_.begin());
  return std::nullopt;
}

void Audit::begin_at(const Lanes& place) {
  from_.clear();
  for (std::size_t lane = 0; lane < place.size(); ++lane) from_.push_back(known_.truth.count_up_to(lane, place[lane]));
  told_up_to_ = place;
}

bool Audit::must_come(std::size_t entry) const {
  const Entry& found = known_.truth.entries()[entry];
  return std::ranges::all_of(held_, [&](const Refresh& held) {
    return found.offset > held.until[found.lane] || Truth::concerns(found, known_.user, held.grants);
  });
}

std::size_t Audit::next(std::size_t lane) const {
  const auto& entries = known_.truth.entries();
  const auto& of_lane = known_.truth.lanes()[lane];
  for (std::size_t i = from_[lane]; i < of_lane.size(); ++i) {
    const Entry& entry = entries[of_lane[i]];
    if (entry.is_published() && Truth::concerns(entry, known_.user, grants_) && must_come(of_lane[i]))
      return of_lane[i];
  }
  return entries.size();
}

std::optional<std::size_t> Audit::any_next() const {
  for (std::size_t lane = 0; lane < from_.size(); ++lane)
    if (const std::size_t entry = next(lane); entry < known_.truth.entries().size()) return entry;
  return std::nullopt;
}

Audit::Complaint Audit::check_answer(std::optional<GapReason> gap) const {
  const std::string of = " of a resume at " + in_quotes(known_.asked.resume->substr(0, 40)) + ", got " + said(gap);
  if (!asked_at_ && gap != asked_at_.error()) return "expected " + std::string(word(asked_at_.error())) + of;
  if (!asked_at_ || !gap) return std::nullopt;  // that it is complete is held against what follows
  if (gap != GapReason::trimmed || !may_be_trimmed(*asked_at_)) return "expected complete" + of;
  return std::nullopt;
}

// Whether something after this place has left the window, or was never in it: too old, too much, or before the node's
// own begin. What a publication costs is not known here, but what it costs at most.
bool Audit::may_be_trimmed(const Lanes& place) const {
  constexpr std::uint64_t kCostBesidesBytes = 1'500;
  Lanes reached = known_.node.origin();
  if (!covers(place, reached)) return true;
  std::uint64_t bytes = 0;
  bool lacks = false;
  for (const std::size_t read : known_.node.read_entries()) {
    const Entry& entry = known_.truth.entries()[read];
    reached[entry.lane] = entry.offset;
    lacks = lacks || !covers(place, reached);
    if (!lacks || !entry.is_published()) continue;
    if (known_.at - entry.logged_at > known_.scenario.window.age) return true;
    bytes += 2 * entry.bytes.size() + kCostBesidesBytes;
  }
  return bytes > known_.scenario.window.bytes;
}

std::optional<std::size_t> Audit::entry_of(const NotificationFrame& frame, const Lanes& place) const {
  const Truth& truth = known_.truth;
  std::vector<std::size_t> last;
  for (std::size_t lane = 0; lane < place.size(); ++lane) {
    const std::size_t count = truth.count_up_to(lane, place[lane]);
    if (count > 0 && truth.entries()[truth.lanes()[lane][count - 1]].offset == place[lane])
      last.push_back(truth.lanes()[lane][count - 1]);
  }
  for (const std::size_t entry : last)
    if (truth.entries()[entry].meaning.payload == frame.payload) return entry;
  return last.size() == 1 ? std::optional(last[0]) : std::nullopt;
}

Audit::Complaint Audit::on(const NotificationFrame& frame) {
  ++taken_;
  coverage_.add(Seen::notifications);
  if (frame.is_replayed) coverage_.add(Seen::replayed);
  if (frame.is_snapshot) coverage_.add(Seen::of_snapshots);
  if (frame.is_late) coverage_.add(Seen::late);
  const auto place = known_.truth.read(frame.id);
  if (!place) return "got a notification of no place in the log: " + in_quotes(frame.id);
  const auto found = entry_of(frame, *place);
  if (!found) return "got a notification of no record: " + in_quotes(frame.id);
  const std::size_t entry = *found;
  const std::size_t lane = known_.truth.entries()[entry].lane;
  if (!Truth::concerns(known_.truth.entries()[entry], known_.user, grants_))
    return "got " + name(entry) + ", which this client may not see";
  if (auto wrong = check_text(frame, entry)) return wrong;
  if (phase_ == Phase::live_at_once) return "expected live, got " + name(entry);
  if (frame.is_snapshot != (phase_ == Phase::snapshot) || frame.is_replayed != (phase_ == Phase::replay))
    return "the marks of " + name(entry) + " are not those of where it came";
  if (phase_ == Phase::snapshot) {
    snapshot_.push_back(entry);
    return std::nullopt;
  }
  const std::size_t expected = next(lane), count = known_.truth.count_up_to(lane, (*place)[lane]);
  const bool may_come = count > from_[lane] && entry < expected && !must_come(entry);
  if (entry != expected && !may_come) return "expected " + name(expected) + ", got " + name(entry);
  from_[lane] = count;
  if (auto wrong = go_to("the id of " + name(entry), *place)) return wrong;
  position_ = frame.id;
  if (phase_ == Phase::replay) ++replayed_;
  return check_life(entry);
}

Audit::Complaint Audit::check_text(const NotificationFrame& frame, std::size_t entry) const {
  const Entry& meant = known_.truth.entries()[entry];
  if (frame.event != to_string(meant.meaning.kind)) return name(entry) + " came as " + std::string(frame.event);
  if (frame.timestamp != protocol::format_timestamp(meant.time()))
    return name(entry) + " came with the time " + std::string(frame.timestamp);
  if (frame.payload != meant.meaning.payload)
    return name(entry) + ": expected " + meant.meaning.payload + ", got " + std::string(frame.payload);
  if (frame.is_late != known_.node.is_late(entry)) return name(entry) + " is marked late or not, wrongly";
  return std::nullopt;
}

// Per order status only moves forward, whatever the log's records are believed to be.
Audit::Complaint Audit::check_life(std::size_t entry) {
  const Entry& now = known_.truth.entries()[entry];
  if (now.meaning.kind != EventKind::order_update) return std::nullopt;
  const auto [known, is_new] = orders_.try_emplace(now.meaning.order, entry);
  const Entry& before = known_.truth.entries()[std::exchange(known->second, entry)];
  if (is_new) return std::nullopt;
  const bool was_over = Truth::is_over(before.meaning.status);
  if (was_over && now.logged_at - before.logged_at > known_.scenario.terminal_memory) return std::nullopt;
  if (was_over) return "order " + std::to_string(now.meaning.order) + " goes on after its end at " + name(entry);
  if (now.meaning.filled < before.meaning.filled) return "what is filled falls at " + name(entry);
  return std::nullopt;
}

// In each lane everything up to there that concerns this client is there, and it never was said to be further.
Audit::Complaint Audit::go_to(std::string_view what, const Lanes& place) {
  const auto& entries = known_.truth.entries();
  for (std::size_t lane = 0; lane < place.size(); ++lane) {
    const std::size_t expected = next(lane);
    if (expected < entries.size() && entries[expected].offset <= place[lane])
      return std::string(what) + " is " + known_.truth.position_of(place) + ", and " + name(expected) + " has not come";
  }
  if (!covers(place, told_up_to_))
    return std::string(what) + " goes back to " + known_.truth.position_of(place) + " from " +
           known_.truth.position_of(told_up_to_);
  told_up_to_ = place;
  return std::nullopt;
}

Audit::Complaint Audit::on(const LiveFrame& frame) {
  if (phase_ == Phase::live) return "a second live";
  const auto place = known_.truth.read(frame.position);
  if (!place) return "live at no position: " + in_quotes(frame.position);
  if (frame.replayed != replayed_)
    return "live tells of " + std::to_string(frame.replayed) + " replayed, and it was " + std::to_string(replayed_);
  const bool is_replay = std::exchange(phase_, Phase::live) == Phase::replay;
  position_ = frame.position;
  if (is_replay) return go_to("the position of live", *place);
  if (*place != known_.shard_has)
    return "expected live at " + known_.truth.position_of(known_.shard_has) + ", got it at " + position_;
  begin_at(*place);
  return known_.asked.wants_snapshot ? check_snapshot(*place) : std::nullopt;
}

Audit::Complaint Audit::check_snapshot(const Lanes& as_of) const {
  auto expected = known_.truth.snapshot(known_.user, known_.grants, as_of, known_.at, known_.node.first_entry());
  std::ranges::sort(expected, {}, [&](std::size_t entry) { return known_.node.ordinal_of(entry); });
  if (snapshot_ == expected) return std::nullopt;
  const auto list = [&](const std::vector<std::size_t>& entries) {
    std::string text;
    for (const std::size_t entry : entries) text += (text.empty() ? " " : ", ") + name(entry);
    return text.empty() ? " nothing" : text;
  };
  return "the snapshot as of " + known_.truth.position_of(as_of) + " should be" + list(expected) + ", and is" +
         list(snapshot_);
}

Audit::Complaint Audit::on(const PingFrame& frame) {
  if (phase_ != Phase::live && phase_ != Phase::replay) return "a heartbeat before the snapshot has ended";
  coverage_.add(Seen::heartbeats);
  const auto place = known_.truth.read(frame.position);
  if (!place) return "a heartbeat at no position: " + in_quotes(frame.position);
  if (frame.delivered != taken_)
    return "a heartbeat tells of " + std::to_string(frame.delivered) + " delivered, and " + std::to_string(taken_) +
           " came";
  if (auto wrong = go_to("the position of a heartbeat", *place)) return wrong;
  position_ = frame.position;
  return std::nullopt;
}

bool Audit::was_told_all() const {
  return std::ranges::all_of(known_.truth.entries(), [&](const Entry& entry) {
    return !entry.is_published() || entry.offset <= told_up_to_[entry.lane];
  });
}

std::optional<std::string> Audit::finish() const {
  if (phase_ != Phase::live) return "all is quiet, and it is not live";
  if (const auto expected = any_next()) return "all is quiet, and " + name(*expected) + " has not come";
  return std::nullopt;
}

}  // namespace carillon::simulation
