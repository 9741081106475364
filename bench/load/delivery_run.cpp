#include "load/delivery_run.hpp"

#include <string>
#include <thread>

namespace carillon::bench {

namespace {

constexpr std::chrono::milliseconds kBeforeFirst{500};  // for the publisher to connect
constexpr std::chrono::seconds kPatience{10};           // then what has not come counts as lost
constexpr std::chrono::milliseconds kForRepeats{500};   // for what comes twice

}  // namespace

DeliveryRun run_deliveries(const Target& target, const ServerProbe& server, Crowd& crowd, const EventBook& book,
                           std::chrono::nanoseconds interval, bool keeps_arrivals) {
  const Schedule schedule{.start = std::chrono::steady_clock::now() + kBeforeFirst, .interval = interval};
  DeliveryRun run;
  run.audit = std::make_unique<DeliveryAudit>(book, schedule, crowd.size(), crowd.users(), keeps_arrivals);
  crowd.attend(run.audit.get());

  std::string envelope;
  PublishPlan plan;
  plan.calls_max = book.size();
  plan.schedule = schedule;
  plan.body = [&](std::uint64_t call) { return std::string_view(envelope = book.envelope(call)); };
  const auto cpu_before = server.cpu_time();
  run.published = publish(target, plan);
  if (!run.audit->wait_for_all(kPatience)) run.faults.add("events were missing ten seconds after the last answer");
  run.cpu = server.cpu_time() - cpu_before;
  std::this_thread::sleep_for(kForRepeats);
  crowd.attend(nullptr);

  run.faults.add_all(run.published.faults);
  run.faults.add_all(run.audit->conclude());
  run.faults.add_all(crowd.take_faults());
  return run;
}

}  // namespace carillon::bench
