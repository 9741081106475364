#include "load/delivery_run.hpp"

#include <algorithm>
#include <future>
#include <string>
#include <thread>

namespace carillon::bench {

namespace {

constexpr std::chrono::milliseconds kBeforeFirst{500};  // for the publisher to connect
constexpr std::chrono::seconds kPatience{10};           // then what has not come counts as lost
constexpr std::chrono::milliseconds kForRepeats{500};   // for what comes twice
constexpr double kRatioMin = 0.8;                       // of p99s; less is not chance

}  // namespace

DeliveryRun run_deliveries(const Target& target, const ServerProbe& server, Crowd& crowd, const EventBook& book,
                           const DeliveryPlan& plan) {
  DeliveryRun run;
  run.schedule = {.start = std::chrono::steady_clock::now() + kBeforeFirst,
                  .interval = plan.interval,
                  .events_per_call = plan.events_per_call};
  run.audit = std::make_unique<DeliveryAudit>(book, run.schedule, crowd.audience(), plan.keeps_arrivals);
  crowd.attend(run.audit.get());

  std::string body;
  PublishPlan calls;
  calls.calls_max = book.size() / plan.events_per_call;
  calls.schedule = run.schedule;
  calls.body = [&](std::uint64_t call) {
    return std::string_view(body = book.batch(call * plan.events_per_call, plan.events_per_call));
  };
  const auto cpu_before = server.cpu_time();
  auto publishing = std::async(std::launch::async, [&] { return publish(target, calls); });
  if (plan.meanwhile) plan.meanwhile();
  run.published = publishing.get();
  if (!run.audit->wait_for_all(kPatience)) run.faults.add("events were missing ten seconds after the last answer");
  run.cpu = server.cpu_time() - cpu_before;
  std::this_thread::sleep_for(kForRepeats);
  crowd.attend(nullptr);

  run.faults.add_all(run.published.faults);
  run.faults.add_all(run.audit->conclude());
  run.faults.add_all(crowd.take_faults());
  return run;
}

Histogram measure_latencies(const Target& target, const ServerProbe& server, Crowd& crowd, const Traffic& traffic,
                            Faults& faults, const std::function<std::vector<Span>()>& meanwhile) {
  const double calls_per_second = traffic.events_per_second / traffic.events_per_call;
  const auto calls = static_cast<std::size_t>(calls_per_second * static_cast<double>(traffic.duration.count()));
  const EventBook book = EventBook::orders(make_run_name(), {.count = calls * traffic.events_per_call,
                                                             .users = crowd.audience().users,
                                                             .favoured = traffic.favoured,
                                                             .to_all = traffic.to_all});
  std::vector<Span> spans{{.begin = MonoTime::min(), .end = MonoTime::max()}};
  DeliveryPlan plan;
  plan.interval = std::chrono::nanoseconds(static_cast<std::int64_t>(1e9 / calls_per_second));
  plan.events_per_call = traffic.events_per_call;
  plan.keeps_arrivals = true;
  if (meanwhile) plan.meanwhile = [&] { spans = meanwhile(); };
  const DeliveryRun run = run_deliveries(target, server, crowd, book, plan);
  faults.add_all(run.faults);

  Histogram latencies;
  for (std::size_t number = 0; number < book.size(); ++number) {
    const MonoTime due = run.schedule.due_of_event(number);
    const auto holds_it = [&](const Span& span) { return span.begin <= due && due <= span.end; };
    if (std::none_of(spans.begin(), spans.end(), holds_it)) continue;
    for (const auto latency : run.audit->arrivals(number)) latencies.record(latency);
  }
  return latencies;
}

void set_disturbance(Report& report, const std::string& prefix, const Histogram& quiet, const Histogram& during) {
  const double ratio = in_ms(during.percentile(0.99)) / in_ms(quiet.percentile(0.99));
  report.set_latencies(prefix + "quiet", quiet);
  report.set_latencies(prefix + "during", during);
  report.set(prefix + "p99_ratio", ratio);
  if (ratio < kRatioMin) report.fault("latencies were longer in quiet");
}

}  // namespace carillon::bench
