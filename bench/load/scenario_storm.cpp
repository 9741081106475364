#include "load/crowd.hpp"
#include "load/scenarios.hpp"

namespace carillon::bench {

Report run_storm(const Target& target, const ServerProbe& server, const StormOptions& options) {
  Report report("connect-storm");
  Histogram handshakes;
  std::chrono::nanoseconds took{0}, cpu{0};
  double connected = 0;
  for (std::uint32_t round = 0; round < options.rounds; ++round) {
    Crowd crowd(target, {.users = options.clients});
    const auto cpu_before = server.cpu_time();
    const auto growth = crowd.grow_to(options.clients, kHandshakesAtOnce, kConnectPatience);
    cpu += server.cpu_time() - cpu_before;
    took += growth.took;
    connected += growth.connected;
    handshakes.merge(growth.handshakes);
    report.add(crowd.take_faults());
  }
  report.set("connects", connected);
  report.set("connects_per_second", connected / in_seconds(took));
  report.set_latencies("connect", handshakes);
  report.set("cpu_per_connect_us", in_us(cpu) / connected);
  return report;
}

}  // namespace carillon::bench
