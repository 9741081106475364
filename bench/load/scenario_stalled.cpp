#include <algorithm>
#include <thread>

#include "load/delivery_run.hpp"
#include "load/preload.hpp"
#include "load/scenarios.hpp"

namespace carillon::bench {

namespace {

constexpr std::uint32_t kEventsPerCall = 5;
constexpr std::uint32_t kLife = 500;  // long: that orders come and go is not what is measured
constexpr std::chrono::seconds kSettle{5};
constexpr double kNoiseBytesMax = 2e6;
constexpr std::chrono::milliseconds kBetweenSamples{250};

// The most the server has above what it had, while that lasts.
double growth_during(const ServerProbe& server, std::chrono::seconds duration) {
  const auto before = static_cast<double>(server.resident_bytes());
  double most = before;
  const auto end = std::chrono::steady_clock::now() + duration;
  while (std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(kBetweenSamples);
    most = std::max(most, static_cast<double>(server.resident_bytes()));
  }
  return most - before;
}

Histogram all_latencies(const DeliveryAudit& audit) {
  Histogram all = audit.latency(EventKind::order_update);
  all.merge(audit.latency(EventKind::new_trade_signal));
  return all;
}

}  // namespace

Report run_stalled(const Target& target, const ServerProbe& server, const StalledOptions& options) {
  Report report("stalled");
  if (!server.exists()) report.fault("memory cannot be measured without the server's process");
  // So that the window and the journal are as full as they get, and what is new replaces what is old.
  report.add(preload(
      target,
      EventBook::orders(make_run_name(), {.count = options.events_before, .users = options.clients, .life = kLife})));
  Crowd crowd(target, {.users = options.clients, .narrow = options.stalled});
  report.set("clients", crowd.grow_to(options.clients, kHandshakesAtOnce, kConnectPatience).connected);
  std::this_thread::sleep_for(kSettle);

  const auto publish_while = [&](const std::function<void()>& meanwhile) {
    const auto seconds = options.duration + kSettle;
    const auto calls =
        static_cast<std::size_t>(options.events_per_second / kEventsPerCall * static_cast<double>(seconds.count()));
    const EventBook book = EventBook::orders(make_run_name(), {.count = calls * kEventsPerCall,
                                                               .users = options.clients,
                                                               .favoured = options.stalled,
                                                               .to_all = options.to_all,
                                                               .life = kLife});
    const std::chrono::nanoseconds interval(
        static_cast<std::int64_t>(1e9 * kEventsPerCall / options.events_per_second));
    auto run = run_deliveries(target, server, crowd, book,
                              {.interval = interval, .events_per_call = kEventsPerCall, .meanwhile = meanwhile});
    report.add(run.faults);
    return all_latencies(*run.audit);
  };

  double warm_up_growth = 0, quiet_growth = 0, growth = 0;
  (void)publish_while([&] { warm_up_growth = growth_during(server, options.duration); });
  const Histogram quiet = publish_while([&] { quiet_growth = growth_during(server, options.duration); });
  const Histogram while_stalled = publish_while([&] {
    crowd.stall();
    growth = growth_during(server, options.duration);
    crowd.go_on();
  });
  if (quiet_growth > kNoiseBytesMax) report.fault("the server's memory was not steady before anybody stalled");
  report.set("closed_for_stalling", static_cast<double>(crowd.times_closed_for_stalling()));
  report.set_latencies("quiet", quiet);
  report.set_latencies("while_stalled", while_stalled);
  report.set("p99_ratio", in_ms(while_stalled.percentile(0.99)) / in_ms(quiet.percentile(0.99)));
  report.set("growth_warm_up_mb", warm_up_growth / 1e6);
  report.set("growth_quiet_mb", quiet_growth / 1e6);
  report.set("growth_while_stalled_mb", growth / 1e6);
  report.set("bytes_per_stalled_client", (growth - quiet_growth) / options.stalled);
  report.set("resident_mb", in_mb(server.resident_bytes()));
  return report;
}

}  // namespace carillon::bench
