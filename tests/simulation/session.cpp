#include "simulation/session.hpp"

#include <algorithm>
#include <ranges>
#include <utility>

#include "notification/record_processor.hpp"
#include "protocol/text_frame.hpp"
#include "simulation/server_frame.hpp"

namespace carillon::simulation {

namespace {

constexpr std::uint16_t kTooSlow = 4420;
constexpr std::string_view kReplayed = ",\"replayed\":true", kSnapshot = ",\"snapshot\":true";

std::string text_frame(std::string_view json) {
  std::string frame;
  protocol::append_text_frame(frame, json);
  return frame;
}

std::string without(const std::string& frame, std::string_view mark) {
  std::string json = frame.substr(protocol::header_size(frame));
  const std::size_t at = json.find(mark);
  if (at != std::string::npos) json.erase(at, mark.size());
  return text_frame(json);
}

std::string with(const std::string& frame, std::string_view mark) {
  std::string json = frame.substr(protocol::header_size(frame));
  const std::size_t id = json.find("\"id\":\"") + 6;
  return text_frame(json.insert(json.find('"', id) + 1, mark));
}

Place one_less(const Place& place, Random& random) {
  std::vector<Offset> lanes;
  for (std::size_t lane = 0; lane < place.lanes(); ++lane) lanes.push_back(place.at(lane));
  if (lanes.empty()) return place;
  std::uint64_t& offset = lanes[random.below(lanes.size())].high;
  if (offset > 0) --offset;
  return Place(std::move(lanes));
}

bool is_order(const std::string& frame) {
  return frame.find("\"event\":\"order_update\"") != std::string::npos;
}

}  // namespace

Session::Session(const Surroundings& surroundings, std::size_t user, Grants grants)
    : hub::Subscriber(UserId(kUsers.at(user)), grants),
      world_(surroundings),
      user_(user),
      next_beat_(world_.clock.mono_now() + world_.scenario.heartbeat_interval / 2) {}

Session::~Session() {
  if (is_open_) world_.shard.hub().unsubscribe(*this);
}

hub::Beginning Session::beginning(const Asked& asked) {
  hub::Beginning beginning{.resume = std::nullopt, .wants_snapshot = asked.wants_snapshot};
  if (!asked.resume) return beginning;
  auto place = world_.log.locate(*asked.resume);
  const bool is_unread = place && !world_.shard.hub().window().has_reached(*place);
  if (is_unread && !world_.log.has_reached(*place)) place = std::unexpected(GapReason::unknown);
  if (world_.breakage.is_active()) break_resume(*asked.resume, place);
  beginning.resume = std::move(place);
  return beginning;
}

void Session::begin(const Asked& asked, std::string_view old_bytes) {
  const auto gap = world_.shard.hub().subscribe(*this, beginning(asked), world_.clock.mono_now());
  is_open_ = true;
  has_snapshot_ = asked.wants_snapshot && (!asked.resume || gap);
  std::optional<protocol::Resumption> resume;
  if (asked.resume && !(gap && world_.breakage.strikes(Broken::gap_not_told, 100))) resume.emplace(*asked.resume, gap);
  if (world_.breakage.strikes(Broken::event_before_auth_ok)) read_notifications(control_);
  send_auth_ok(resume);
  for (const std::string& frame : split_frames(old_bytes))
    if (std::holds_alternative<NotificationFrame>(read_frame(frame))) control_.append(frame);
}

void Session::refresh(Grants grants) {
  if (!world_.breakage.strikes(Broken::ignore_refresh, 100)) set_grants(grants);
  send_auth_ok(std::nullopt);
}

void Session::send_auth_ok(std::optional<protocol::Resumption> resume) {
  const Principal principal{.user_id = user(), .grants = grants(), .expires_at = WallTime::max()};
  protocol::append_text_frame(control_, protocol::encode_auth_ok({.session_id = "0",
                                                                  .principal = principal,
                                                                  .heartbeat_interval = milliseconds{20'000},
                                                                  .heartbeat_timeout = milliseconds{10'000},
                                                                  .resume = resume},
                                                                 world_.clock.wall_now()));
  wants_turn_ = true;
}

void Session::on_publications(std::uint64_t bytes) {
  if (is_catching_up()) return;
  waiting_bytes_ += bytes;
  pump();
  if (is_open_) check_queue();
}

void Session::on_room() {
  if (world_.socket.has_unsent()) return;
  if (is_open_ && is_catching_up())
    wants_turn_ = true;
  else
    pump();
  watch();
}

void Session::on_timer() {
  if (!is_open_) return;
  check_queue();
  const MonoTime now = world_.clock.mono_now();
  if (!is_open_ || now < next_beat_) return;
  next_beat_ = now + world_.scenario.heartbeat_interval;
  beat_due_ = wants_turn_ = true;
}

void Session::check_queue() {
  if (!world_.socket.has_unsent()) return;
  const Scenario& limits = world_.scenario;
  const MonoTime now = world_.clock.mono_now();
  const bool too_much = waiting_bytes_ + world_.socket.unsent_bytes() + control_.size() > limits.queue_bytes_max;
  bool too_old = blocked_since_ != MonoTime::max() && now - blocked_since_ > limits.queue_age_max;
  if (!too_much && !too_old && waiting_bytes_ > 0) {
    const auto oldest = world_.shard.hub().oldest_waiting(*this);
    was_impatient_ = was_impatient_ || (oldest && !world_.node.took(*oldest, user_, grants()));
    too_old = oldest && now - std::max(*oldest, caught_up_at_) > limits.queue_age_max;
  }
  if (!too_much && !too_old) return;
  if (!is_catching_up() && world_.breakage.strikes(Broken::drop_for_slow_client, 100)) {
    std::string lost;
    delivered_ += world_.shard.hub().read(*this, 100'000, lost).count;
    waiting_bytes_ = 0;
    return;
  }
  close(kTooSlow);
}

void Session::pump() {
  wants_turn_ = false;
  if (world_.socket.has_unsent()) return;
  std::string out;
  out.swap(control_);
  hub::Reading reading{.at_end = true};
  if (is_open_) {
    reading = read_notifications(out);
    if (reading.gap) {
      out.swap(control_);
      return close(kTooSlow);
    }
  }
  if (is_open_) is_behind_ = !reading.at_end;
  world_.socket.write(out);
  if (!reading.at_end && !world_.socket.has_unsent()) wants_turn_ = true;
  watch();
}

hub::Reading Session::read_notifications(std::string& out) {
  hub::Hub& hub = world_.shard.hub();
  std::string frames;
  hub::Reading reading = hub.read(*this, world_.scenario.read_bytes, frames);
  if (reading.gap && world_.breakage.strikes(Broken::cut_off_at_a_gap, 100)) {
    hub.unsubscribe(*this);
    (void)hub.subscribe(*this, {.resume = std::nullopt, .wants_snapshot = false}, world_.clock.mono_now());
    reading = hub.read(*this, world_.scenario.read_bytes, frames);
    reading.is_live = false;
  }
  if (reading.gap) return reading;
  delivered_ += reading.count;
  waiting_bytes_ = reading.at_end ? 0 : waiting_bytes_ - std::min<std::uint64_t>(waiting_bytes_, frames.size());
  if (world_.breakage.is_active()) break_frames(frames);
  const bool is_early = reading.is_live && world_.breakage.strikes(Broken::live_too_early);
  if (is_early) out.append(live_frame(reading));
  out.append(frames);
  if (reading.is_live) {
    caught_up_at_ = world_.clock.mono_now();
    if (!is_early) out.append(live_frame(reading));
  }
  if (has_position() && std::exchange(beat_due_, false)) out.append(beat_frame());
  return reading;
}

std::string Session::live_frame(const hub::Reading& reading) {
  Breakage& breakage = world_.breakage;
  Position position = world_.shard.hub().position_of(*this);
  const hub::RecentWindow& window = world_.shard.hub().window();
  if (reading.at_end && breakage.strikes(Broken::live_where_the_node_is))
    position = window.position_before(window.end());
  if (breakage.strikes(Broken::live_position_ahead)) position = another(position, 1);
  if (breakage.strikes(Broken::live_position_behind)) position = another(position, -1);
  const std::uint64_t replayed = reading.replayed + (breakage.strikes(Broken::replayed_count_off) ? 1 : 0);
  std::string frame = text_frame(protocol::encode_live(position, replayed, world_.clock.wall_now()));
  if (breakage.strikes(Broken::live_never)) return {};
  return breakage.strikes(Broken::live_twice) ? frame + frame : frame;
}

std::string Session::beat_frame() {
  Breakage& breakage = world_.breakage;
  Position position = world_.shard.hub().position_of(*this);
  if (breakage.strikes(Broken::beat_position_ahead)) position = another(position, 1);
  if (!stuck_at_) stuck_at_ = position;
  if (breakage.strikes(Broken::beat_position_stuck, 100)) position = *stuck_at_;
  const std::uint64_t delivered = delivered_ + (breakage.strikes(Broken::beat_count_off) ? 1 : 0);
  return text_frame(protocol::encode_ping(position, delivered, world_.clock.wall_now()));
}

void Session::close(std::uint16_t code) {
  if (!std::exchange(is_open_, false)) return;
  world_.shard.hub().unsubscribe(*this);
  const char payload[] = {static_cast<char>(code >> 8), static_cast<char>(code & 0xFF)};
  protocol::append_frame(control_, protocol::Opcode::close, {payload, sizeof payload});
  wants_turn_ = true;
}

void Session::watch() {
  const bool is_blocked = world_.socket.has_unsent();
  is_behind_ = is_behind_ || is_blocked;
  if (!is_blocked)
    blocked_since_ = MonoTime::max();
  else if (blocked_since_ == MonoTime::max())
    blocked_since_ = world_.clock.mono_now();
}

void Session::break_resume(std::string_view text, std::expected<Place, GapReason>& place) {
  Breakage& breakage = world_.breakage;
  if (place) {
    const Truth& truth = world_.log.truth();
    const hub::RecentWindow& window = world_.shard.hub().window();
    const auto asked = truth.read(text);
    const std::size_t next = asked ? truth.next_for(user_, grants(), *asked) : truth.entries().size();
    if (next < truth.entries().size() && breakage.strikes(Broken::begin_one_late))
      place->pass(truth.entries()[next].lane, {truth.entries()[next].offset});
    if (breakage.strikes(Broken::begin_one_early)) place = one_less(*place, breakage.random());
    if (!window.goes_back_to(*place) && breakage.strikes(Broken::complete_when_trimmed, 100))
      place->pass(window.place_before(window.begin()));
    break_ahead(*place);
    if (breakage.strikes(Broken::trimmed_when_complete)) place = std::unexpected(GapReason::trimmed);
    return;
  }
  const bool is_foreign = place.error() == GapReason::epoch;
  const auto named = parse_place(text.substr(std::min(text.size(), text.find('.') + 1)));
  if (is_foreign && named && breakage.strikes(Broken::ignore_epoch, 100)) place = *named;
  if (!is_foreign && named && breakage.strikes(Broken::accept_future_position, 100)) place = *named;
  if (!is_foreign && breakage.strikes(Broken::malformed_is_epoch, 100)) place = std::unexpected(GapReason::epoch);
}

// Where the client is ahead of the node's own order.
void Session::break_ahead(Place& place) {
  Breakage& breakage = world_.breakage;
  const hub::RecentWindow& window = world_.shard.hub().window();
  if (!window.goes_back_to(place)) return;
  Place behind = window.place_before(window.first_after(place));
  if (breakage.strikes(Broken::covered_come_again, 100)) place = behind;
  if (!breakage.strikes(Broken::ahead_in_one_lane_only, 100)) return;
  for (std::size_t lane = 0; lane < place.lanes(); ++lane) {
    if (behind.covers(lane, place.at(lane))) continue;
    behind.pass(lane, place.at(lane));
    break;
  }
  place = behind;
}

// `bytes` are the notifications of one reading.
void Session::break_frames(std::string& bytes) {
  Breakage& breakage = world_.breakage;
  std::vector<std::string> frames = split_frames(bytes);
  const bool is_snapshot = std::exchange(has_snapshot_, has_snapshot_ && is_catching_up());
  if (is_snapshot) break_snapshot(frames);
  if (!frames.empty()) {
    const std::size_t at = breakage.random().below(frames.size());
    const bool is_replayed = frames[at].find(kReplayed) != std::string::npos;
    if (is_replayed && breakage.strikes(Broken::lose_replayed_mark)) frames[at] = without(frames[at], kReplayed);
    if (!is_replayed && !is_snapshot && breakage.strikes(Broken::mark_after_live))
      frames[at] = with(frames[at], kReplayed);
    if (!is_snapshot && breakage.strikes(Broken::ids_of_the_node)) frames[at] = with_own_id(frames[at]);
    if (frames.size() > 1 && breakage.strikes(Broken::swap_frames)) std::swap(frames.front(), frames.back());
    if (breakage.strikes(Broken::repeat_frame)) frames.insert(frames.begin(), frames[at]);
    if (breakage.strikes(Broken::drop_frame)) frames.erase(frames.begin());
  }
  bytes.clear();
  for (const std::string& frame : frames) bytes.append(frame);
}

void Session::break_snapshot(std::vector<std::string>& frames) {
  Breakage& breakage = world_.breakage;
  const auto order = std::ranges::find_if(frames, is_order);
  if (order != frames.end() && breakage.strikes(Broken::snapshot_misses_order)) frames.erase(order);
  const auto alert = std::ranges::find_if_not(frames, is_order);
  if (alert != frames.end() && breakage.strikes(Broken::snapshot_misses_alert)) frames.erase(alert);
  if (frames.size() > 1 && breakage.strikes(Broken::snapshot_out_of_order)) std::swap(frames.front(), frames.back());
  if (!frames.empty() && breakage.strikes(Broken::snapshot_twice)) frames.push_back(frames.back());
  if (!frames.empty() && breakage.strikes(Broken::snapshot_unmarked)) frames[0] = without(frames[0], kSnapshot);
  const auto add = [&](Broken broken, bool (*is_it)(const Entry&, std::size_t, WallTime)) {
    if (!breakage.strikes(broken)) return;
    if (auto frame = snapshot_frame(is_it)) frames.push_back(std::move(*frame));
  };
  add(Broken::snapshot_with_terminal_order, [](const Entry& entry, std::size_t user, WallTime) {
    return entry.meaning.kind == EventKind::order_update && entry.meaning.user == user &&
           Truth::is_over(entry.meaning.status);
  });
  add(Broken::snapshot_of_other_user, [](const Entry& entry, std::size_t user, WallTime) {
    return entry.meaning.kind == EventKind::order_update && entry.meaning.user != user;
  });
  add(Broken::snapshot_with_old_alert, [](const Entry& entry, std::size_t user, WallTime now) {
    return entry.meaning.kind == EventKind::system_alert && entry.meaning.level >= AlertLevel::error &&
           Truth::concerns(entry, user, {}) && now - entry.logged_at > std::chrono::hours{1};
  });
}

std::optional<std::string> Session::snapshot_frame(bool (*is_it)(const Entry&, std::size_t, WallTime)) {
  const auto& entries = world_.log.truth().entries();
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (!entries[i].is_published() || !is_it(entries[i], user_, world_.clock.wall_now())) continue;
    const notification::Moment moment{.wall = entries[i].logged_at, .mono = {}, .is_history = true};
    eventlog::StoredRecord record = world_.log.record(i, false);
    Place place;
    place.pass(record.lane, record.offset);
    record.position = world_.log.position_of(place);
    const auto made = notification::RecordProcessor({}).process(record, moment).publication;
    return with(made->frame, kSnapshot);
  }
  return std::nullopt;
}

// As the node would number it if its client were not ahead.
std::string Session::with_own_id(const std::string& frame) const {
  const hub::RecentWindow& window = world_.shard.hub().window();
  for (std::uint64_t s = window.begin(); s < window.end(); ++s) {
    const Publication& publication = window.at(s);
    if (!frame.ends_with(std::string_view(publication.frame).substr(publication.mark_at))) continue;
    std::string json = frame.substr(protocol::header_size(frame));
    const std::size_t id = json.find("\"id\":\"") + 6;
    return text_frame(json.replace(id, json.find('"', id) - id, publication.position.text));
  }
  return frame;
}

// The position of the next, or the last, published record that concerns this user.
Position Session::another(const Position& position, int direction) const {
  const Truth& truth = world_.log.truth();
  auto place = truth.read(position.text);
  if (!place) return position;
  if (direction > 0) {
    const std::size_t next = truth.next_for(user_, grants(), *place);
    if (next == truth.entries().size()) return position;
    (*place)[truth.entries()[next].lane] = truth.entries()[next].offset;
    return {truth.position_of(*place)};
  }
  for (const Entry& entry : truth.entries() | std::views::reverse) {
    if (!entry.is_published() || !Truth::concerns(entry, user_, grants())) continue;
    if (entry.offset > (*place)[entry.lane]) continue;
    (*place)[entry.lane] = entry.offset - 1;
    return {truth.position_of(*place)};
  }
  return position;
}

}  // namespace carillon::simulation
