#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "load/crowd.hpp"
#include "load/delivery_audit.hpp"
#include "load/event_book.hpp"
#include "load/publisher.hpp"
#include "load/report.hpp"
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

// Order updates for the crowd's users in turn, and signals to all among them.
struct Traffic {
  double events_per_second = 100;
  // The one connection that publishes is to have time left, or all that is measured is how it cannot keep up.
  std::uint32_t events_per_call = 5;
  double to_all = 0.25;        // the share of signals
  std::uint32_t favoured = 0;  // as EventBook::Orders has it
  std::chrono::seconds duration{25};
};

struct Span {
  MonoTime begin, end;
};

// The latencies of a crowd's timed clients under such traffic. With `meanwhile`, which is called while it lasts and
// returns the times that count, of those events that were due in these.
[[nodiscard]] Histogram measure_latencies(const Target& target, const ServerProbe& server, Crowd& crowd,
                                          const Traffic& traffic, Faults& faults,
                                          const std::function<std::vector<Span>()>& meanwhile = {});

// Both, by PREFIXquiet and PREFIXduring, and PREFIXp99_ratio. Void when it was worse in quiet: then others had the
// machine, and the ratio would please anybody.
void set_disturbance(Report& report, const std::string& prefix, const Histogram& quiet, const Histogram& during);

}  // namespace carillon::bench
