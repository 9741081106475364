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
    Ordinal shard_has;  // the hub's end of the log
  };
  Audit(Beginning beginning, Coverage& coverage)
      : coverage_(coverage),
        known_(std::move(beginning)),
        asked_at_(known_.asked.resume ? known_.truth.read(*known_.asked.resume) : std::unexpected(GapReason::unknown)) {
  }

  // The client has sent a token with other grants, which the session obeys from now on.
  void refreshed(Grants grants, Ordinal shard_has) { refreshes_.push_back({.grants = grants, .until = shard_has}); }
  // What is wrong with it, if anything. `was_behind`: its session has not read, or it has not taken, all that there
  // was.
  [[nodiscard]] std::optional<std::string> take(const ServerFrame& frame, bool was_behind);
  // Once nothing is under way to it any more: what it should have had.
  [[nodiscard]] std::optional<std::string> finish() const;

  // The last position that the client has handled; empty: none on this connection.
  [[nodiscard]] const std::string& position() const { return position_; }
  // A beat told of everything that is published.
  [[nodiscard]] bool was_told_all() const { return told_up_to_ >= last_published(); }

 private:
  // Grants that were held, and the end of the log when they ended.
  struct Refresh {
    Grants grants;
    Ordinal until = 0;
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
  [[nodiscard]] Complaint check_snapshot(Ordinal as_of) const;
  [[nodiscard]] Complaint check_up_to(std::string_view what, Ordinal ordinal) const;
  [[nodiscard]] bool may_be_trimmed(Ordinal ordinal) const;
  // Whether it must come: what was judged when there were other grants may have been passed over.
  [[nodiscard]] bool must_come(std::size_t entry) const;
  [[nodiscard]] std::size_t next() const;
  [[nodiscard]] std::string name(std::size_t entry) const;
  [[nodiscard]] Ordinal last_published() const;

  Coverage& coverage_;
  const Beginning known_;
  const std::expected<Ordinal, GapReason> asked_at_;  // as it stood then
  Phase phase_ = Phase::nothing_yet;
  Grants grants_ = known_.grants;
  std::vector<Refresh> refreshes_, held_;  // sent and not answered; over
  std::size_t from_ = 0;                   // the first entry that it has not been told of, if it concerns it
  std::size_t taken_ = 0;                  // notifications
  std::uint64_t replayed_ = 0;
  Ordinal told_up_to_ = 0;
  std::vector<std::size_t> snapshot_;
  std::unordered_map<std::size_t, std::size_t> orders_;  // the last entry of each, but for snapshots
  std::string position_;
};

}  // namespace carillon::simulation
