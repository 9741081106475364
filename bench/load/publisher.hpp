#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "load/delivery_audit.hpp"
#include "load/faults.hpp"
#include "load/histogram.hpp"
#include "load/target.hpp"

namespace carillon::bench {

// What is to be published, over how many connections, and how fast.
struct PublishPlan {
  std::uint32_t connections = 1;
  std::uint64_t calls_max = 0;
  // With an interval: open loop. Calls are due by it, whether or not earlier ones were answered, and wait for a
  // connection when all are busy; latencies count from when they were due. Without: closed loop, each connection makes
  // its next call when the last one is answered; latencies count from the call.
  Schedule schedule;
  // No call begins later than that after schedule.start.
  std::chrono::nanoseconds duration = std::chrono::hours(1);
  bool may_lose_server = false;  // then the end of all connections ends the run and is no fault

  // The body of a call; valid until the next one.
  std::function<std::string_view(std::uint64_t call)> body;
  // Called with each 202, when set.
  std::function<void(std::uint64_t call)> accepted;
};

struct Published {
  std::uint64_t begun = 0;
  std::uint64_t accepted = 0;        // calls answered with 202 and all their events new
  std::chrono::nanoseconds took{0};  // from schedule.start to the last answer
  Histogram latency;                 // of the accepted
  Faults faults;
};

// Publishes on a thread of its own, on which the plan's functions are called, and returns when all is answered. Keeps
// the connections of earlier calls out of the measurement: they are opened before schedule.start.
[[nodiscard]] Published publish(const Target& target, const PublishPlan& plan);

}  // namespace carillon::bench
