#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "load/crowd.hpp"
#include "load/delivery_audit.hpp"
#include "load/event_book.hpp"
#include "load/publisher.hpp"
#include "load/server_probe.hpp"
#include "load/target.hpp"

namespace carillon::bench {

// A book published over one connection, and what the crowd got of it.
struct DeliveryRun {
  Schedule schedule;
  std::unique_ptr<DeliveryAudit> audit;
  Published published;
  std::chrono::nanoseconds cpu{0};  // of the server, from the first call to the last delivery
  Faults faults;                    // of the run and everything in it
};

struct DeliveryPlan {
  std::chrono::nanoseconds interval{0};
  std::uint32_t events_per_call = 1;  // of which the book has a multiple
  bool keeps_arrivals = false;
  // Called while the events are published, on the caller's thread, when set.
  std::function<void()> meanwhile{};
};

// Publishes the book's events at their due times and waits until every delivery has come, or ten seconds after the last
// answer.
[[nodiscard]] DeliveryRun run_deliveries(const Target& target, const ServerProbe& server, Crowd& crowd,
                                         const EventBook& book, const DeliveryPlan& plan);

// The latencies of those events of a run that kept arrivals that were due in this time.
[[nodiscard]] Histogram latencies_between(const DeliveryRun& run, const EventBook& book, MonoTime begin, MonoTime end);

}  // namespace carillon::bench
