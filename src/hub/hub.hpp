#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "event/place.hpp"
#include "event/position.hpp"
#include "event/publication.hpp"
#include "hub/current_state.hpp"
#include "hub/cursor.hpp"
#include "hub/recent_window.hpp"

namespace carillon::hub {

// What a session wants to be told about: the events its user may see, from where it begins.
// Lives inside its session and is known to one hub. Shard-confined.
class Subscriber {
 public:
  Subscriber(UserId user, Grants grants) : user_(std::move(user)), grants_(grants) {}
  Subscriber(const Subscriber&) = delete;
  Subscriber& operator=(const Subscriber&) = delete;

  // Something new waits for this subscriber: `bytes` of it. At most once per turn; it reads from the hub when it can,
  // and may unsubscribe.
  virtual void on_publications(std::uint64_t bytes) = 0;

  [[nodiscard]] const UserId& user() const { return user_; }
  [[nodiscard]] Grants grants() const { return grants_; }
  // A refreshed token may carry other grants (protocol 2.6). The user stays.
  void set_grants(Grants grants) { grants_ = grants; }
  // It has not had its `live` acknowledgement yet (protocol 6).
  [[nodiscard]] bool is_catching_up() const { return cursor_.is_catching_up(); }
  // Hub::position_of() can be told of it.
  [[nodiscard]] bool has_position() const { return cursor_.has_position(); }

 protected:
  ~Subscriber() = default;

 private:
  friend class Hub;
  UserId user_;
  Grants grants_;
  Cursor cursor_;
  std::size_t index_ = 0;    // in Hub::all_
  bool is_touched_ = false;  // it is in Hub::touched_
};

// Who gets what on one core (protocol 5.3). Publications come in at any moment of a turn and are delivered together at
// its end, so that all that waits for a client leaves in one write. No sockets, no time. Shard-confined.
//
// Invariants:
// 1. A subscriber whose cursor is not behind has read everything before the begin of the turn that concerns it.
// 2. One whose cursor is behind has read everything before it that concerns it.
// 3. Nothing is appended to a subscriber's frames that may_see() does not allow.
class Hub {
 public:
  explicit Hub(const WindowLimits& limits) : window_(limits) {}

  // The subscriber then reads what it asks for, and what comes after it. The answer is that of Cursor::begin().
  std::optional<GapReason> subscribe(Subscriber& subscriber, const Beginning& beginning, MonoTime now);
  void unsubscribe(Subscriber& subscriber);

  // Where the log stood before the first publication. Before everything else.
  void set_origin(Position position) { window_.set_origin(std::move(position)); }
  // What the log kept from before that: it counts for snapshots and is in no window.
  void remember(std::span<const PublicationPtr> publications);
  void publish(std::span<const PublicationPtr> publications);
  // Tells every subscriber for whom something came since the last call, and lets go of what is too old. At the end of
  // each turn.
  void deliver(MonoTime now);

  // Appends the frames that wait for `subscriber`, as Cursor::read() does.
  // Here, and only here, an event meets a user.
  Reading read(Subscriber& subscriber, std::size_t bytes_max, std::string& frames,
               DeliveryObserver* observer = nullptr);

  // When the oldest event that still waits for `subscriber` was published; nothing when none waits.
  [[nodiscard]] std::optional<MonoTime> oldest_waiting(const Subscriber& subscriber) const;

  // Everything up to here that concerns `subscriber` has been read by it. Not after a gap.
  [[nodiscard]] Position position_of(Subscriber& subscriber);
  [[nodiscard]] Place place_of(Subscriber& subscriber);

  [[nodiscard]] std::size_t subscribers() const { return all_.size(); }
  [[nodiscard]] const RecentWindow& window() const { return window_; }
  [[nodiscard]] const CurrentState& state() const { return state_; }

 private:
  [[nodiscard]] static Viewer viewer(const Subscriber& subscriber) { return {subscriber.user_, subscriber.grants_}; }
  [[nodiscard]] std::uint64_t bytes_waiting(const Subscriber& subscriber) const;
  void deliver_turn();
  void touch(const UserId& user);
  void offer(Subscriber& subscriber);
  void end_turn();

  RecentWindow window_;
  CurrentState state_;
  std::uint64_t turn_begin_ = 1;  // the first sequence that came in this turn
  bool turn_has_broadcast_ = false;
  bool delivering_ = false;
  bool some_left_ = false;            // while delivering
  std::vector<Subscriber*> all_;      // null: unsubscribed while delivering
  std::vector<Subscriber*> touched_;  // by what is targeted in this turn; null as above
  std::unordered_map<UserId, std::vector<Subscriber*>> by_user_;
  std::size_t first_served_ = 0;  // moves on from turn to turn, so that nobody is always last
};

}  // namespace carillon::hub
