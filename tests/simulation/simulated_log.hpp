#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "eventlog/event_log.hpp"
#include "eventlog/log_positions.hpp"
#include "simulation/breakage.hpp"
#include "simulation/random.hpp"
#include "simulation/scenario.hpp"
#include "simulation/truth.hpp"

namespace carillon::simulation {

// The log that all nodes follow: what its producers wrote, what is trimmed of it, and the order steps that are kept.
class SimulatedLog {
 public:
  SimulatedLog(const Scenario& scenario, Breakage& breakage, std::uint32_t epoch);

  // Its offsets have gaps, as a broker's may.
  void append(Random& random, WallTime now, std::string bytes, Meaning meaning);
  // Begins as a log of its own, empty.
  void recreate();

  [[nodiscard]] const Truth& truth() const { return *truth_; }
  [[nodiscard]] std::size_t first() const { return first_; }  // the first entry that is not trimmed
  [[nodiscard]] const std::vector<std::size_t>& kept() const { return kept_; }
  [[nodiscard]] const Place& origin() const { return origin_; }  // before that entry
  [[nodiscard]] Position position_of(const Place& place) const { return positions_->of(place); }
  [[nodiscard]] std::expected<Place, GapReason> locate(std::string_view position) const;
  [[nodiscard]] bool has_reached(const Place& place) const;
  // All of it but its ordinal and position, which are the node's.
  [[nodiscard]] eventlog::StoredRecord record(std::size_t entry, bool is_kept) const;

  // Its ordinals are numbers of entries, from 1 on.
  void settle(const eventlog::Settled::OrderStep& step);
  // Lets go of everything before `first`, which is not before what was trimmed already.
  void trim(std::size_t first, WallTime now);

 private:
  using Steps = std::unordered_map<Ordinal, eventlog::Settled::OrderStep>;

  const Scenario& scenario_;
  Breakage& breakage_;
  std::unique_ptr<Truth> truth_;
  std::optional<eventlog::LogPositions> positions_;
  Steps steps_;
  std::size_t first_ = 0;
  Place origin_;
  std::vector<std::size_t> kept_;
};

}  // namespace carillon::simulation
