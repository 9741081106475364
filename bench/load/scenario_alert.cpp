#include <algorithm>
#include <vector>

#include "load/delivery_run.hpp"
#include "load/scenarios.hpp"

namespace carillon::bench {

namespace {

double middle_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace

Report run_alert(const Target& target, const ServerProbe& server, const AlertOptions& options) {
  Report report("alert");
  Crowd crowd(target, {.users = options.clients});
  const auto growth = crowd.grow_to(options.clients, kHandshakesAtOnce, kConnectPatience);
  report.set("clients", growth.connected);
  report.set("connects_per_second", growth.connected / in_seconds(growth.took));

  const EventBook book = EventBook::alerts(make_run_name(), options.alerts);
  const DeliveryRun run =
      run_deliveries(target, server, crowd, book, {.interval = options.interval, .keeps_arrivals = true});
  report.add(run.faults);
  std::vector<double> first, median, last;
  for (std::size_t number = 0; number < book.size(); ++number) {
    const auto arrivals = run.audit->arrivals(number);
    if (arrivals.empty()) continue;
    first.push_back(in_ms(arrivals.front()));
    median.push_back(in_ms(arrivals[arrivals.size() / 2]));
    last.push_back(in_ms(arrivals.back()));
  }
  report.set("alerts", static_cast<double>(run.published.accepted));
  if (!last.empty()) {
    report.set("first_client_ms", middle_of(first));
    report.set("median_client_ms", middle_of(median));
    report.set("last_client_ms", middle_of(last));
    report.set("last_client_worst_ms", *std::max_element(last.begin(), last.end()));
  }
  report.set_latencies("accepted", run.published.latency);
  report.set("cpu_per_delivery_us", in_us(run.cpu) / static_cast<double>(run.audit->delivered()));
  return report;
}

}  // namespace carillon::bench
