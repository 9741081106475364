#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "event/event.hpp"

namespace carillon::app {

// How long one stage of the deliveries took, as far as a histogram's buckets tell.
struct StageTimes {
  // No more than that; nothing: none was counted, or it lies beyond the last bound.
  using Bound = std::optional<double>;  // seconds

  std::uint64_t count = 0;
  Bound p50{}, p99{};
  Bound slowest{};  // of all
  std::uint64_t beyond_limit = 0;
  double limit = 0;       // seconds
  double last_bound = 0;  // seconds

  bool operator==(const StageTimes&) const = default;
};

// What people want to know of a running node, counted since it started.
struct NodeStats {
  using Counts = std::map<std::string, std::uint64_t>;  // by reason or result

  struct DeliveryTimes {
    StageTimes event_to_accepted;
    StageTimes accepted_to_written;
    StageTimes written_to_receipt;
  };
  std::array<DeliveryTimes, kEventKinds> times;
  Counts withheld, dead_letters, resumes;
  std::uint64_t connections = 0, sessions = 0, sessions_behind = 0;  // now
  std::uint64_t slow_clients = 0;
  std::string obstacle;  // why the node should not be sent new clients; empty when it should

  // Reads what a node says of itself (contract/schemas/stats.schema.json). `invalid`: it is not that.
  [[nodiscard]] static Result<NodeStats> read(std::string_view json);
};

}  // namespace carillon::app
