#include <thread>
#include <vector>

#include "load/delivery_run.hpp"
#include "load/preload.hpp"
#include "load/scenarios.hpp"

namespace carillon::bench {

namespace {

constexpr std::chrono::seconds kBeforeReplay{3};
constexpr std::chrono::seconds kReplayPatience{60};

struct Replay {
  MonoTime begin, end;
};

// One client that comes back from before the whole book.
Replay replay(Crowd& crowd, const EventBook& book, Faults& faults) {
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
  const auto publish_to_others = [&](const std::function<void()>& meanwhile) {
    const auto count =
        static_cast<std::size_t>(options.events_per_second * static_cast<double>(options.duration.count()));
    const EventBook book =
        EventBook::orders(make_run_name(), {.count = count, .users = options.clients, .to_all = options.to_all});
    const auto interval = std::chrono::nanoseconds(static_cast<std::int64_t>(1e9 / options.events_per_second));
    auto run = run_deliveries(target, server, others, book,
                              {.interval = interval, .keeps_arrivals = true, .meanwhile = meanwhile});
    report.add(run.faults);
    return std::pair(std::move(run), book);
  };

  const auto [quiet_run, quiet_book] = publish_to_others({});
  std::vector<Replay> replays;
  Faults faults;
  const auto [run, book] = publish_to_others([&] {
    for (std::uint32_t round = 0; round < options.replays; ++round) {
      std::this_thread::sleep_for(kBeforeReplay);
      replays.push_back(replay(replayer, missed, faults));
    }
  });
  report.add(faults);

  const Histogram quiet = latencies_between(quiet_run, quiet_book, MonoTime::min(), MonoTime::max());
  Histogram during;
  std::chrono::nanoseconds replaying{0};
  for (const Replay& one : replays) {
    during.merge(latencies_between(run, book, one.begin, one.end));
    replaying += one.end - one.begin;
  }
  report.set("deliveries_quiet", static_cast<double>(quiet.count()));
  report.set("deliveries_during", static_cast<double>(during.count()));
  report.set_latencies("quiet", quiet);
  report.set_latencies("during", during);
  report.set("p99_ratio", in_ms(during.percentile(0.99)) / in_ms(quiet.percentile(0.99)));
  report.set("replay_seconds", in_seconds(replaying) / static_cast<double>(replays.size()));
  report.set("resident_mb", in_mb(server.resident_bytes()));
  return report;
}

}  // namespace carillon::bench
