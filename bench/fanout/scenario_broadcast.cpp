#include <cstdio>
#include <iostream>
#include <optional>
#include <sstream>
#include <string>
#include <thread>

#include "fanout/broadcasting.hpp"
#include "fanout/cost.hpp"
#include "fanout/reception.hpp"
#include "fanout/scenarios.hpp"
#include "fanout/subscribers.hpp"

namespace carillon::bench {

namespace {

// Says that the clients are there, and waits for the moment that the first measured burst is due at.
std::optional<MonoTime> told_start() {
  std::puts("live");
  std::fflush(stdout);
  std::string line;
  std::int64_t nanoseconds = 0;
  if (!std::getline(std::cin, line) || !(std::istringstream(line) >> nanoseconds)) return std::nullopt;
  return MonoTime(std::chrono::nanoseconds(nanoseconds));
}

// Where another load publishes.
class Silence final : public Publisher {
 public:
  Result<> publish(std::uint64_t, std::uint64_t) override { return {}; }
};

}  // namespace

Report run_broadcast(const Peer& peer, const Mark& mark, const Servers& servers, const BroadcastOptions& options) {
  Report report("broadcast");
  const Bursts plan{.together = options.together,
                    .warm_up = options.warm_up,
                    .measured = (options.events + options.together - 1) / options.together};
  const auto bytes_before = static_cast<double>(servers.anonymous_bytes());
  Reception reception(mark, plan, options.clients);
  Subscribers subscribers(peer.target(), peer.dialect(), reception, options.sources);
  const std::uint32_t connected = subscribers.connect(options.clients, kHandshakesAtOnce, kConnectPatience);
  report.set("connected", connected);
  report.set("idle_bytes_per_connection", (settled_bytes_of(servers) - bytes_before) / connected);
  if (connected < options.clients) {
    report.add(subscribers.conclude());
    return report;
  }
  const auto told = options.is_shared ? told_start() : std::nullopt;
  const auto publisher = options.only_listens ? Result<std::unique_ptr<Publisher>>(std::make_unique<Silence>())
                                              : peer.open_publisher(mark);
  if (options.is_shared && !told) report.fault("it was not told when the first burst is due");
  if (!publisher) report.fault(publisher.error().message);
  if (report.is_void()) return report;

  Broadcasting broadcasting(**publisher, reception, plan);
  bool goes_on = broadcasting.try_peer() && broadcasting.one_by_one(plan.first_measured());
  const Cost before = Cost::now(servers);
  const MonoTime start = told.value_or(before.moment);
  if (goes_on)
    goes_on = options.interval.count() > 0 ? broadcasting.on_schedule(start, options.interval)
                                           : broadcasting.one_by_one(plan.all());
  const Cost after = Cost::now(servers);
  std::this_thread::sleep_for(kForRepeats);
  const double bytes_after = settled_bytes_of(servers);
  report.add(broadcasting.faults());
  report.add(subscribers.conclude());
  report.add(reception.conclude(plan.all()));
  if (!goes_on) return report;

  const auto deliveries = static_cast<double>(reception.deliveries());
  report.set("seconds", in_seconds(after.moment - start));
  report.set("deliveries_per_second", deliveries / in_seconds(after.moment - start));
  after.report_since(before, deliveries, report);
  reception.set_figures(plan.all(), report);
  if (options.interval.count() > 0) report.set_latencies("published_behind", broadcasting.behind());
  report.set("used_bytes_per_connection", (bytes_after - bytes_before) / connected);
  return report;
}

}  // namespace carillon::bench
