#pragma once

#include <algorithm>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "event/place.hpp"
#include "event/position.hpp"
#include "event/publication.hpp"
#include "hub/current_state.hpp"
#include "hub/recent_window.hpp"

namespace carillon::hub {

// What a client asks for when its session begins (protocol 6).
struct Beginning {
  std::optional<std::expected<Place, GapReason>> resume{};  // the position that it named, as the log reads it
  bool wants_snapshot = true;
};

// Is told of every live notification that is read: not of what is replayed or belongs to a snapshot.
class DeliveryObserver {
 public:
  virtual void on_delivery(const Publication& publication) = 0;

 protected:
  ~DeliveryObserver() = default;
};

// Who reads.
struct Viewer {
  const UserId& user;
  Grants grants;
};

struct Reading {
  std::uint32_t count = 0;     // notifications appended
  bool at_end = false;         // nothing is left to read
  bool gap = false;            // the window no longer holds what comes next; nothing was appended
  bool is_live = false;        // with this reading the catching up ended: the `live` acknowledgement follows it at once
  std::uint64_t replayed = 0;  // where it is: how many notifications answered the resume
};

// How far one client has come: a snapshot, then a replay, then what is live, joined without gap or repeat (protocol
// 6.2, 6.3). Costs a number, and while it catches up a little more; what it reads is the window's. Pure: no time, no
// threads, no sockets.
//
// A client may be ahead of this node in some lanes of the log, because another node, which read them in another order,
// or another shard was faster there. What it has already is passed over, and until the node has come as far, where the
// client is said to be is the union of both places: it may leave again at any of them.
//
// Invariants, for what may_see() allows the viewer:
// 1. A resume at P reads each publication that P does not cover once, in this node's order, and none other.
// 2. A snapshot is the state of all publications before the window's end at begin(), and is followed by those after it.
// 3. Exactly one reading is_live; what is read before it is marked, nothing after it is.
class Cursor {
 public:
  // Places the cursor. The answer is why not everything after the asked position can follow; nothing when it can, or
  // when no position was named.
  std::optional<GapReason> begin(const Beginning& beginning, const RecentWindow& window, const CurrentState& state,
                                 const Viewer& viewer, MonoTime now);

  // Appends the frames that come next, at most about `bytes_max` (one frame more at most), looking at a bounded number
  // of publications. When it is not at the end, there is more to read.
  Reading read(const RecentWindow& window, const Viewer& viewer, std::size_t bytes_max, std::string& frames,
               DeliveryObserver* observer = nullptr);

  // Where the client is once it has what was read. Not for one that fell out of the window.
  [[nodiscard]] Position position(const RecentWindow& window) const;
  [[nodiscard]] Place place(const RecentWindow& window) const;
  // There is such a position: it does not stand within a snapshot.
  [[nodiscard]] bool has_position() const { return catching_up_ == nullptr || catching_up_->is_replay; }

  // Until the reading that is_live.
  [[nodiscard]] bool is_catching_up() const { return catching_up_ != nullptr; }
  // It has not read all that is there, or is catching up.
  [[nodiscard]] bool is_behind() const { return behind_; }
  // The first sequence it has to look at. Nothing before `settled` concerns a cursor that is not behind.
  [[nodiscard]] std::uint64_t next(std::uint64_t settled) const { return behind_ ? next_ : std::max(next_, settled); }
  void pass(std::uint64_t settled) { next_ = next(settled); }
  // What comes next concerns it.
  void fall_behind() { behind_ = true; }

 private:
  struct CatchingUp {
    std::vector<PublicationPtr> snapshot{};  // in the log's order
    std::size_t sent = 0;                    // of snapshot
    std::uint64_t replayed = 0;
    bool is_replay = false;
  };

  [[nodiscard]] std::optional<GapReason> resume(const std::expected<Place, GapReason>& place,
                                                const RecentWindow& window);
  Reading read_snapshot(const Viewer& viewer, std::size_t bytes_max, std::string& frames);
  Reading read_window(const RecentWindow& window, const Viewer& viewer, std::size_t bytes_max, std::string& frames,
                      DeliveryObserver* observer);
  void append(std::string& frames, const Publication& publication);

  std::uint64_t next_ = 1;  // the first sequence it has not looked at
  std::unique_ptr<CatchingUp> catching_up_;
  std::unique_ptr<const Place> ahead_;  // where the client came from, until this node's place covers it
  bool behind_ = false;
};

}  // namespace carillon::hub
