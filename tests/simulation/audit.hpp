#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "event/position.hpp"
#include "event/principal.hpp"
#include "simulation/coverage.hpp"
#include "simulation/node.hpp"
#include "simulation/scenario.hpp"
#include "simulation/server_frame.hpp"
#include "simulation/session.hpp"
#include "simulation/truth.hpp"

namespace carillon::simulation {

// Holds all that comes to one client over one connection against the truth.
class Audit {
 public:
  // What is known of the connection at its begin; `node` outlives it.
  struct Beginning {
    const Truth& truth;
    const Scenario& scenario;
    const Node& node;
    std::size_t user = 0;
    Grants grants;
    Asked asked;
    WallTime at;
    Lanes shard_has;  // the hub's end of the log
  };
  Audit(Beginning beginning, Coverage& coverage)
      : coverage_(coverage),
        known_(std::move(beginning)),
        asked_at_(known_.asked.resume ? known_.truth.read(*known_.asked.resume) : std::unexpected(GapReason::unknown)) {
    begin_at(known_.truth.begin());
  }

  // The client has sent a token with other grants, which the session obeys from now on.
  void refreshed(Grants grants, Lanes shard_has) {
    refreshes_.push_back({.grants = grants, .until = std::move(shard_has)});
  }
  // What is wrong with it, if anything. `was_behind`: its session has not read, or it has not taken, all that there
  // was.
  [[nodiscard]] std::optional<std::string> take(const ServerFrame& frame, bool was_behind);
  // Once nothing is under way to it any more: what it should have had.
  [[nodiscard]] std::optional<std::string> finish() const;

  // The last position that the client has handled; empty: none on this connection.
  [[nodiscard]] const std::string& position() const { return position_; }
  // A beat told of everything that is published.
  [[nodiscard]] bool was_told_all() const;

 private:
  // Grants that were held, and the end of the log when they ended.
  struct Refresh {
    Grants grants;
    Lanes until;
  };
  enum class Phase : std::uint8_t { nothing_yet, replay, snapshot, live_at_once, live, closed };
  using Complaint = std::optional<std::string>;

  Complaint on(const NotificationFrame& frame);
  Complaint on(const AuthOkFrame& frame);
  Complaint on_refresh(const AuthOkFrame& frame);
  Complaint on(const LiveFrame& frame);
  Complaint on(const PingFrame& frame);
  [[nodiscard]] Complaint check_text(const NotificationFrame& frame, std::size_t entry) const;
  Complaint check_life(std::size_t entry);
  [[nodiscard]] Complaint check_answer(std::optional<GapReason> gap) const;
  [[nodiscard]] Complaint check_snapshot(const Lanes& as_of) const;
  // Whether a position that it is told may be `place`; from then on it is there.
  [[nodiscard]] Complaint go_to(std::string_view what, const Lanes& place);
  [[nodiscard]] bool may_be_trimmed(const Lanes& place) const;
  void begin_at(const Lanes& place);
  // The record that a notification with that id can be of: of those which are the last of their lane there.
  [[nodiscard]] std::optional<std::size_t> entry_of(const NotificationFrame& frame, const Lanes& place) const;
  // Whether it must come: what was judged when there were other grants may have been passed over.
  [[nodiscard]] bool must_come(std::size_t entry) const;
  // The next that it must be told of a lane; the number of entries: none.
  [[nodiscard]] std::size_t next(std::size_t lane) const;
  [[nodiscard]] std::optional<std::size_t> any_next() const;
  [[nodiscard]] std::string name(std::size_t entry) const;

  Coverage& coverage_;
  const Beginning known_;
  const std::expected<Lanes, GapReason> asked_at_;  // as it stood then
  Phase phase_ = Phase::nothing_yet;
  Grants grants_ = known_.grants;
  std::vector<Refresh> refreshes_, held_;  // sent and not answered; over
  std::vector<std::size_t> from_;          // of each lane's entries the first that it has not been told of
  std::size_t taken_ = 0;                  // notifications
  std::uint64_t replayed_ = 0;
  Lanes told_up_to_;
  std::vector<std::size_t> snapshot_;
  std::unordered_map<std::size_t, std::size_t> orders_;  // the last entry of each, but for snapshots
  std::string position_;
};

}  // namespace carillon::simulation
