#include <thread>
#include <vector>

#include "load/delivery_run.hpp"
#include "load/giving_way.hpp"
#include "load/handshake_storm.hpp"
#include "load/ping_flood.hpp"
#include "load/scenarios.hpp"
#include "load/strangers.hpp"

namespace carillon::bench {

namespace {

constexpr std::chrono::seconds kWarmUp{3};
constexpr std::chrono::seconds kCatchUp{5};  // for those that stalled
// Less of it, and it was no attack.
constexpr std::uint64_t kHellosOfEachMin = 10;
constexpr std::uint64_t kPingsOfEachMin = 10'000;

struct Attack {
  HandshakeStorm storm;
  PingFlood::Done pings;
  Strangers::Done strangers;
};

// All at once, on threads that give way, from users behind those that measure.
Attack attack(const Target& target, const UnfriendlyOptions& options) {
  return giving_way([&] {
    PingFlood pings(target, options.flooders, options.clients);
    Strangers strangers(target, options.half_open, options.hasty);
    Attack attack;
    attack.storm = storm_until(target, options.clients + 1, std::chrono::steady_clock::now() + options.duration);
    attack.pings = pings.stop();
    attack.strangers = strangers.stop();
    return attack;
  });
}

// A run without all of it would say nothing.
void check(const Attack& attack, std::uint64_t closed_for_stalling, const UnfriendlyOptions& options, Report& report) {
  if (attack.pings.pings < options.flooders * kPingsOfEachMin) report.fault("there was no flood of pings");
  if (attack.pings.cut < options.flooders) report.fault("not every flooder was cut off");
  if (attack.strangers.answered < options.hasty * kHellosOfEachMin) report.fault("there was no storm of ClientHellos");
  if (attack.strangers.dropped < options.half_open) report.fault("half-open connections were not dropped");
  if (closed_for_stalling < options.stalled) report.fault("not every client that stalled was closed for it");
}

}  // namespace

Report run_unfriendly(const Target& target, const ServerProbe& server, const UnfriendlyOptions& options) {
  Report report("unfriendly");
  Faults faults;
  Crowd crowd(target, {.users = options.clients, .narrow = options.stalled});
  report.set("clients", crowd.grow_to(options.clients, kHandshakesAtOnce, kConnectPatience).connected);

  Traffic traffic{.events_per_second = options.events_per_second,
                  .to_all = options.to_all,
                  .favoured = options.stalled,
                  .duration = kWarmUp};
  (void)measure_latencies(target, server, crowd, traffic, faults);
  traffic.duration = options.duration;
  const Histogram quiet = measure_latencies(target, server, crowd, traffic, faults);
  traffic.duration = options.duration + kCatchUp;
  Attack done;
  std::chrono::nanoseconds cpu{0};
  const Histogram during = measure_latencies(target, server, crowd, traffic, faults, [&] {
    crowd.stall();
    const auto cpu_before = server.cpu_time();
    done = attack(target, options);
    cpu = server.cpu_time() - cpu_before;
    crowd.go_on();
    return std::vector{done.storm.span};
  });
  report.add(faults);
  report.add(done.storm.faults);
  check(done, crowd.times_closed_for_stalling(), options, report);

  const auto took = done.storm.span.end - done.storm.span.begin;
  report.set("storm_connects", done.storm.connects);
  report.set("storm_connects_per_second", done.storm.connects_per_second());
  report.set("pings", static_cast<double>(done.pings.pings));
  report.set("pings_per_second", static_cast<double>(done.pings.pings) / in_seconds(took));
  report.set("flooders_cut", static_cast<double>(done.pings.cut));
  report.set("hellos_per_second", static_cast<double>(done.strangers.answered) / in_seconds(took));
  report.set("half_open_connected", static_cast<double>(done.strangers.half_open));
  report.set("half_open_dropped", static_cast<double>(done.strangers.dropped));
  report.set("closed_for_stalling", static_cast<double>(crowd.times_closed_for_stalling()));
  report.set("cpu_percent_of_a_core", 100 * in_seconds(cpu) / in_seconds(took));
  set_disturbance(report, "", quiet, during);
  report.set("resident_mb", in_mb(server.resident_bytes()));
  return report;
}

}  // namespace carillon::bench
