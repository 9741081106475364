#include <thread>

#include "load/delivery_run.hpp"
#include "load/scenarios.hpp"

namespace carillon::bench {

namespace {

// After the last handshake the server still sends tickets and gives buffers back.
constexpr std::chrono::seconds kSettle{3};

}  // namespace

Report run_heartbeats(const Target& target, const ServerProbe& server, const HeartbeatsOptions& options) {
  Report report("heartbeats");
  if (!server.exists()) report.fault("CPU time cannot be measured without the server's process");
  Crowd crowd(target, {.users = options.clients});
  report.set("clients", crowd.grow_to(options.clients, kHandshakesAtOnce, kConnectPatience).connected);
  std::this_thread::sleep_for(kSettle);

  const auto pings_before = crowd.heartbeats();
  const auto cpu_before = server.cpu_time();
  const MonoTime begin = std::chrono::steady_clock::now();
  std::this_thread::sleep_for(options.duration);
  const auto took = std::chrono::steady_clock::now() - begin;
  const auto cpu = server.cpu_time() - cpu_before;
  const auto pings = crowd.heartbeats();
  if (pings.fewest == 0) report.fault("a client was never pinged");

  // Who is lost or miscounted shows at the last here: each must get this, once.
  const EventBook book = EventBook::alerts(make_run_name(), 1);
  report.add(run_deliveries(target, server, crowd, book, {.interval = std::chrono::seconds(1)}).faults);

  const auto pinged = static_cast<double>(pings.all - pings_before.all);
  report.set("pings", pinged);
  report.set("pings_per_second", pinged / in_seconds(took));
  report.set("cpu_percent_of_a_core", 100 * in_seconds(cpu) / in_seconds(took));
  report.set("cpu_per_ping_us", in_us(cpu) / pinged);
  report.set("resident_mb", in_mb(server.resident_bytes()));
  return report;
}

}  // namespace carillon::bench
