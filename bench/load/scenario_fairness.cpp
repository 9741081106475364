#include <thread>
#include <vector>

#include "load/delivery_run.hpp"
#include "load/preload.hpp"
#include "load/scenarios.hpp"

namespace carillon::bench {

namespace {

constexpr std::chrono::seconds kBeforeReplay{3};
constexpr std::chrono::seconds kReplayPatience{60};

// One client that comes back from before the whole book.
Span replay(Crowd& crowd, const EventBook& book, Faults& faults) {
  DeliveryAudit audit(book, {}, crowd.audience(), false);
  crowd.attend(&audit);
  const MonoTime begin = std::chrono::steady_clock::now();
  const auto returned = crowd.come_back(kReplayPatience);
  crowd.leave();
  crowd.attend(nullptr);
  faults.add_all(audit.conclude());
  faults.add_all(crowd.take_faults());
  return {.begin = begin, .end = returned.last_live};
}

}  // namespace

Report run_fairness(const Target& target, const ServerProbe& server, const FairnessOptions& options) {
  Report report("replay-fairness");
  Crowd replayer(target, {.users = 1, .first_user = options.clients, .scope = "orders"});
  (void)replayer.grow_to(1, 1, kConnectPatience);
  replayer.remember_positions();
  replayer.leave();
  const EventBook missed =
      EventBook::orders(make_run_name(), {.count = options.replayed_events, .users = 1, .first_user = options.clients});
  report.add(preload(target, missed));

  Crowd others(target, {.users = options.clients});
  report.set("clients", others.grow_to(options.clients, kHandshakesAtOnce, kConnectPatience).connected);
  const Traffic traffic{.events_per_second = options.events_per_second,
                        .events_per_call = 1,
                        .to_all = options.to_all,
                        .duration = options.duration};
  Faults faults;
  const Histogram quiet = measure_latencies(target, server, others, traffic, faults);
  std::vector<Span> replays;
  const Histogram during = measure_latencies(target, server, others, traffic, faults, [&] {
    for (std::uint32_t round = 0; round < options.replays; ++round) {
      std::this_thread::sleep_for(kBeforeReplay);
      replays.push_back(replay(replayer, missed, faults));
    }
    return replays;
  });
  report.add(faults);
  std::chrono::nanoseconds replaying{0};
  for (const Span& one : replays) replaying += one.end - one.begin;
  report.set("deliveries_quiet", static_cast<double>(quiet.count()));
  report.set("deliveries_during", static_cast<double>(during.count()));
  set_disturbance(report, "", quiet, during);
  report.set("replay_seconds", in_seconds(replaying) / static_cast<double>(replays.size()));
  report.set("resident_mb", in_mb(server.resident_bytes()));
  return report;
}

}  // namespace carillon::bench
