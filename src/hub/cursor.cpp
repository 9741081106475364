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

std::optional<GapReason> Cursor::begin(const Beginning& beginning, const RecentWindow& window,
                                       const CurrentState& state, const Viewer& viewer, MonoTime now) {
  next_ = window.end();
  behind_ = true;
  ahead_.reset();
  catching_up_ = std::make_unique<CatchingUp>();
  std::optional<GapReason> gap;
  if (beginning.resume) {
    gap = resume(*beginning.resume, window);
    catching_up_->is_replay = !gap;
  }
  if (!catching_up_->is_replay && beginning.wants_snapshot)
    catching_up_->snapshot = state.of(viewer.user, viewer.grants, now);
  return gap;
}

std::optional<GapReason> Cursor::resume(const std::expected<Place, GapReason>& place, const RecentWindow& window) {
  if (!place) return place.error();
  if (!window.goes_back_to(*place)) return GapReason::trimmed;
  next_ = window.first_after(*place);
  if (!window.place_before(next_).covers(*place)) ahead_ = std::make_unique<const Place>(*place);
  return std::nullopt;
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
    if (ahead_ != nullptr && ahead_->covers(publication.lane, publication.offset)) continue;
    append(frames, publication);
    ++reading.count;
    if (catching_up_ != nullptr) continue;
    if (observer != nullptr) observer->on_delivery(publication);
  }
  if (catching_up_ != nullptr) catching_up_->replayed += reading.count;
  if (ahead_ != nullptr && window.place_before(next_).covers(*ahead_)) ahead_.reset();
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

// While the client is ahead in some lane, what it gets tells it where it then is, and not where this node is.
void Cursor::append(std::string& frames, const Publication& publication) {
  const std::string_view mark = catching_up_ != nullptr ? kReplayedMark : std::string_view{};
  if (ahead_ != nullptr) {
    Place place = place_of(publication.position);
    if (!place.covers(*ahead_)) {
      place.pass(*ahead_);
      const Position id = position_like(publication.position, place);
      return protocol::append_with_id(frames, publication.frame, publication.mark_at, publication.position.text,
                                      id.text, mark);
    }
    ahead_.reset();
  }
  if (!mark.empty()) return append_marked(frames, publication, mark);
  frames.append(publication.frame);
}

Position Cursor::position(const RecentWindow& window) const {
  const Position& reached = window.position_before(next_);
  return ahead_ == nullptr ? reached : position_like(reached, place(window));
}

Place Cursor::place(const RecentWindow& window) const {
  Place place = window.place_before(next_);
  if (ahead_ != nullptr) place.pass(*ahead_);
  return place;
}

}  // namespace carillon::hub
