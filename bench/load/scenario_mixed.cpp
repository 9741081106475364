#include "load/delivery_run.hpp"
#include "load/scenarios.hpp"

namespace carillon::bench {

Report run_mixed(const Target& target, const ServerProbe& server, const MixedOptions& options) {
  Report report("mixed");
  const std::uint32_t users = options.users == 0 ? options.clients : options.users;
  const auto seconds = static_cast<double>(options.duration.count());
  const auto count = static_cast<std::size_t>(options.events_per_second * seconds);
  const std::chrono::nanoseconds interval(static_cast<std::int64_t>(1e9 / options.events_per_second));
  const EventBook book = EventBook::mixed(make_run_name(), count, users);

  Crowd crowd(target, {.users = users});
  const auto growth = crowd.grow_to(options.clients, kHandshakesAtOnce, kConnectPatience);
  report.set("clients", growth.connected);
  report.set("connects_per_second", growth.connected / in_seconds(growth.took));
  report.set("resident_connected_mb", in_mb(server.resident_bytes()));

  const DeliveryRun run = run_deliveries(target, server, crowd, book, {.interval = interval});
  report.add(run.faults);
  Histogram all;
  for (const auto kind : {EventKind::new_trade_signal, EventKind::order_update, EventKind::system_alert})
    all.merge(run.audit->latency(kind));
  report.set("events", static_cast<double>(run.published.accepted));
  report.set("deliveries", static_cast<double>(run.audit->delivered()));
  report.set_latencies("delivery", all);
  report.set_latencies("order_update", run.audit->latency(EventKind::order_update));
  report.set_latencies("accepted", run.published.latency);
  report.set("cpu_per_delivery_us", in_us(run.cpu) / static_cast<double>(run.audit->delivered()));
  report.set("resident_mb", in_mb(server.resident_bytes()));
  return report;
}

}  // namespace carillon::bench
