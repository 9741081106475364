#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/clock.hpp"
#include "fanout/servers.hpp"
#include "load/report.hpp"

namespace carillon::bench {

// What was spent until a moment, by the server and by the load.
struct Cost {
  static Cost now(const Servers& servers);
  // Since `before`: cpu_per_delivery_us, load_cpu_per_delivery_us, and allocations when somebody counts them.
  void report_since(const Cost& before, double deliveries, Report& report) const;

  MonoTime moment;
  std::chrono::nanoseconds server, load;
  std::optional<std::uint64_t> allocations;
};

// Private memory, when the server has given back what it does not need.
[[nodiscard]] double settled_bytes_of(const Servers& servers);

}  // namespace carillon::bench
