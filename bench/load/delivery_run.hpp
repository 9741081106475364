#pragma once

#include <chrono>
#include <memory>

#include "load/crowd.hpp"
#include "load/delivery_audit.hpp"
#include "load/event_book.hpp"
#include "load/publisher.hpp"
#include "load/server_probe.hpp"
#include "load/target.hpp"

namespace carillon::bench {

// A book published, one event after the other over one connection, and what the crowd got of it.
struct DeliveryRun {
  std::unique_ptr<DeliveryAudit> audit;
  Published published;
  std::chrono::nanoseconds cpu{0};  // of the server, from the first call to the last delivery
  Faults faults;                    // of the run and everything in it
};

// Publishes the book's events at their due times and waits until every delivery has come, or ten seconds after the last
// answer.
[[nodiscard]] DeliveryRun run_deliveries(const Target& target, const ServerProbe& server, Crowd& crowd,
                                         const EventBook& book, std::chrono::nanoseconds interval, bool keeps_arrivals);

}  // namespace carillon::bench
