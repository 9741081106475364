#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace carillon::simulation {

// What must have happened in many seeds for them to prove anything.
enum class Seen : std::uint8_t {
  records,
  withheld,
  restarts,
  trims,
  kept_records,
  new_logs,
  connections,
  cuts,
  notifications,
  replayed,
  of_snapshots,
  late,
  resumed,
  trimmed,
  other_epoch,
  unknown,
  ahead_of_node,
  ahead_in_some_lanes,
  closed_as_slow,
  heartbeats,
  refreshes,
};

inline constexpr std::array<std::string_view, 21> kSeenNames = {
    "records",        "withheld",   "restarts",      "trims",    "kept records",  "new logs",
    "connections",    "cuts",       "notifications", "replayed", "of snapshots",  "late",
    "resumed",        "trimmed",    "other epoch",   "unknown",  "ahead of node", "ahead in some lanes",
    "closed as slow", "heartbeats", "refreshes"};

class Coverage {
 public:
  void add(Seen what, std::uint64_t count = 1) { counts_.at(static_cast<std::size_t>(what)) += count; }
  [[nodiscard]] const std::array<std::uint64_t, kSeenNames.size()>& counts() const { return counts_; }

 private:
  std::array<std::uint64_t, kSeenNames.size()> counts_{};
};

}  // namespace carillon::simulation
