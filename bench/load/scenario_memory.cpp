#include <thread>

#include "load/delivery_run.hpp"
#include "load/scenarios.hpp"

namespace carillon::bench {

namespace {

// After the last handshake the server still sends tickets and gives buffers back.
constexpr std::chrono::seconds kSettle{3};

}  // namespace

Report run_memory(const Target& target, const ServerProbe& server, const MemoryOptions& options) {
  Report report("memory");
  if (!server.exists()) report.fault("memory cannot be measured without the server's process");
  Crowd crowd(target, {.users = options.clients});
  const auto idle_with = [&](std::uint32_t clients) {
    const auto growth = crowd.grow_to(clients, kHandshakesAtOnce, kConnectPatience);
    if (growth.connected == 0) report.fault("no client was let in");
    std::this_thread::sleep_for(kSettle);
    return static_cast<double>(server.resident_bytes());
  };
  const double more = options.clients - options.base_clients;
  const double base = idle_with(options.base_clients);
  const double full = idle_with(options.clients);

  const EventBook book = EventBook::alerts(make_run_name(), 1);
  const DeliveryRun run = run_deliveries(target, server, crowd, book, {.interval = std::chrono::seconds(1)});
  report.add(run.faults);
  std::this_thread::sleep_for(kSettle);
  const auto used = static_cast<double>(server.resident_bytes());

  report.set("base_clients", options.base_clients);
  report.set("clients", crowd.size());
  report.set("resident_base_mb", base / 1e6);
  report.set("resident_mb", full / 1e6);
  report.set("resident_used_mb", used / 1e6);
  report.set("idle_bytes_per_connection", (full - base) / more);
  report.set("used_bytes_per_connection", (used - base) / more);
  return report;
}

}  // namespace carillon::bench
