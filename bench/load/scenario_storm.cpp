#include <thread>

#include "load/delivery_run.hpp"
#include "load/giving_way.hpp"
#include "load/handshake_storm.hpp"
#include "load/scenarios.hpp"

namespace carillon::bench {

namespace {

constexpr std::chrono::milliseconds kBetweenLooks{10};
constexpr std::chrono::seconds kGonePatience{10};
constexpr std::chrono::seconds kWarmUp{3};

// What came of some rounds.
struct Connects {
  double all = 0, resumed = 0;
  std::chrono::nanoseconds took{0}, cpu{0};
  Histogram handshakes;
};

// All connect, and leave. Comes back when the server is done with them: that is not for the next round to pay.
void connect_once(const ServerProbe& server, Crowd& crowd, std::uint32_t clients, Connects& sum, Faults& faults) {
  const std::size_t descriptors_before = server.descriptors();
  const auto cpu_before = server.cpu_time();
  const auto growth = crowd.grow_to(clients, kHandshakesAtOnce, kConnectPatience);
  sum.cpu += server.cpu_time() - cpu_before;
  sum.all += growth.connected;
  sum.resumed += growth.resumed;
  sum.took += growth.took;
  sum.handshakes.merge(growth.handshakes);
  crowd.leave();
  faults.add_all(crowd.take_faults());
  const auto give_up = std::chrono::steady_clock::now() + kGonePatience;
  while (server.descriptors() > descriptors_before) {
    if (std::chrono::steady_clock::now() > give_up) return faults.add("the server kept clients that had left");
    std::this_thread::sleep_for(kBetweenLooks);
  }
}

Connects connect_anew(const Target& target, const ServerProbe& server, const StormOptions& options, Faults& faults) {
  Connects sum;
  for (std::uint32_t round = 0; round < options.rounds; ++round) {
    Crowd crowd(target, {.users = options.clients});
    connect_once(server, crowd, options.clients, sum, faults);
  }
  if (sum.resumed > 0) faults.add("new clients had a ticket");
  return sum;
}

Connects connect_again(const Target& target, const ServerProbe& server, const StormOptions& options, Faults& faults) {
  Connects first, sum;
  Crowd crowd(target, {.users = options.clients});
  connect_once(server, crowd, options.clients, first, faults);
  for (std::uint32_t round = 0; round < options.rounds; ++round)
    connect_once(server, crowd, options.clients, sum, faults);
  if (sum.resumed < sum.all) faults.add("a ticket was not taken");
  return sum;
}

void set_connects(Report& report, const std::string& prefix, const Connects& sum) {
  report.set(prefix + "connects", sum.all);
  report.set(prefix + "connects_per_second", sum.all / in_seconds(sum.took));
  report.set(prefix + "connects_per_cpu_second", sum.all / in_seconds(sum.cpu));
  report.set(prefix + "cpu_per_connect_us", in_us(sum.cpu) / sum.all);
  report.set_latencies(prefix + "connect", sum.handshakes);
}

}  // namespace

Report run_storm(const Target& target, const ServerProbe& server, const StormOptions& options) {
  Report report("connect-storm");
  if (!server.exists()) report.fault("CPU time cannot be measured without the server's process");
  Faults faults;
  set_connects(report, "", connect_anew(target, server, options, faults));
  set_connects(report, "resumed_", connect_again(target, server, options, faults));

  Crowd live(target, {.users = options.live_clients});
  report.set("live_clients", live.grow_to(options.live_clients, kHandshakesAtOnce, kConnectPatience).connected);
  Traffic traffic{.events_per_second = options.events_per_second, .to_all = options.to_all, .duration = kWarmUp};
  (void)measure_latencies(target, server, live, traffic, faults);
  traffic.duration = options.duration;
  const Histogram quiet = measure_latencies(target, server, live, traffic, faults);
  HandshakeStorm storm;
  std::chrono::nanoseconds cpu{0};
  const Histogram during = measure_latencies(target, server, live, traffic, faults, [&] {
    const MonoTime end = std::chrono::steady_clock::now() + options.duration;
    const auto cpu_before = server.cpu_time();
    storm = giving_way([&] { return storm_until(target, options.live_clients, end); });
    cpu = server.cpu_time() - cpu_before;
    return std::vector{storm.span};
  });
  report.add(faults);
  report.add(storm.faults);
  report.set("storm_connects_per_second", storm.connects_per_second());
  report.set_latencies("storm_connect", storm.handshakes);
  report.set("storm_cpu_percent_of_a_core", 100 * in_seconds(cpu) / in_seconds(storm.span.end - storm.span.begin));
  set_disturbance(report, "live_", quiet, during);
  return report;
}

}  // namespace carillon::bench
