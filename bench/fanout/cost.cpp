#include "fanout/cost.hpp"

#include <unistd.h>

#include <thread>

namespace carillon::bench {

namespace {

constexpr std::chrono::seconds kSettle{3};

}  // namespace

Cost Cost::now(const Servers& servers) {
  return {.moment = std::chrono::steady_clock::now(),
          .server = servers.cpu_time(),
          .load = ServerProbe(::getpid()).cpu_time(),
          .allocations = servers.allocations()};
}

void Cost::report_since(const Cost& before, double deliveries, Report& report) const {
  report.set("cpu_per_delivery_us", in_us(server - before.server) / deliveries);
  report.set("load_cpu_per_delivery_us", in_us(load - before.load) / deliveries);
  if (allocations && before.allocations)
    report.set("allocations", static_cast<double>(*allocations - *before.allocations));
}

double settled_bytes_of(const Servers& servers) {
  std::this_thread::sleep_for(kSettle);
  return static_cast<double>(servers.anonymous_bytes());
}

}  // namespace carillon::bench
