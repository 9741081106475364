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

  // Something new waits for this subscriber: `bytes` of it. It reads from the hub when it can, and may unsubscribe.
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
  std::uint64_t offered_ = 0;  // it was told of everything before this sequence that concerns it
  std::uint32_t index_ = 0;    // in Hub::all_
  bool is_touched_ = false;    // it is in Hub::touched_
};

// Who gets what on one core (protocol 5.3). Publications come in at any moment of a turn and are delivered together at
// its end, so that all that waits for a client leaves in one write. No sockets, no time. Shard-confined.
//
// What is targeted is told at the end of its turn. What is for many is told in a sweep over all subscribers, a slice of
// them at the end of each turn, so that neither what is targeted nor what clients say ever waits for a whole sweep.
// Another broadcast meanwhile makes the sweep go on until it has been round once more; whom it comes to is told of all
// that is new by then. So it begins somewhere else for each broadcast, and nobody is always last.
//
// Invariants:
// 1. A subscriber whose cursor is not behind has read everything before settled_ that concerns it.
// 2. One whose cursor is behind has read everything before it that concerns it.
// 3. Whom the sweep has still to come to is within sweep_left_ places from sweep_at_, round the end, or is touched.
// 4. Who has not been told of all before round_began_ is within round_left_ places from there, or is touched.
// 5. What comes from settled_ on is in the window.
// 6. Nothing is appended to a subscriber's frames that may_see() does not allow.
class Hub {
 public:
  // Subscribers that one slice of a sweep tells: about a millisecond of writing.
  static constexpr std::size_t kSlice = 128;

  explicit Hub(const WindowLimits& limits, std::size_t slice = kSlice) : slice_(slice), window_(limits) {}

  // The subscriber then reads what it asks for, and what comes after it. The answer is that of Cursor::begin().
  std::optional<GapReason> subscribe(Subscriber& subscriber, const Beginning& beginning, MonoTime now);
  void unsubscribe(Subscriber& subscriber);

  // Where the log stood before the first publication. Before everything else.
  void set_origin(Position position) { window_.set_origin(std::move(position)); }
  // What the log kept from before that: it counts for snapshots and is in no window.
  void remember(std::span<const PublicationPtr> publications);
  void publish(std::span<const PublicationPtr> publications);
  // Tells those for whom something came, of a sweep the next slice, and lets go of what is too old. At the end of each
  // turn. True: the sweep has not been round; the next turn is to come at once.
  bool deliver(MonoTime now);

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
  // Everybody was told of all before this sequence; what comes from there on is kept whatever the window's limits say.
  // Who publishes waits before that is too much.
  [[nodiscard]] std::uint64_t settled() const { return settled_; }

 private:
  [[nodiscard]] static Viewer viewer(const Subscriber& subscriber) { return {subscriber.user_, subscriber.grants_}; }
  void touch(Subscriber& subscriber);
  void touch(const UserId& user);
  bool offer(Subscriber& subscriber);
  void want_round();
  void begin_round();
  void sweep();
  void settle();
  void prefetch_next() const;
  [[nodiscard]] bool is_ahead(std::size_t index, std::size_t left) const;
  void vacate(std::size_t index);

  const std::size_t slice_;
  RecentWindow window_;
  CurrentState state_;
  std::uint64_t settled_ = 1;  // everybody was told of all before this sequence
  std::size_t sweep_at_ = 0;   // in all_: who comes next
  std::size_t sweep_left_ = 0;
  std::uint64_t round_began_ = 1;  // where the window ended when the sweep was here last
  std::size_t round_left_ = 0;
  bool delivering_ = false;
  std::vector<std::size_t> vacated_;  // while delivering: the indices of those who left
  std::vector<Subscriber*> all_;      // null: vacated
  std::vector<Subscriber*> touched_;  // by what is targeted in this turn; null: has left
  std::unordered_map<UserId, std::vector<Subscriber*>> by_user_;
};

}  // namespace carillon::hub
