#include <atomic>
#include <future>
#include <thread>

#include "fanout/broadcasting.hpp"
#include "fanout/carillon_peer.hpp"
#include "fanout/cost.hpp"
#include "fanout/favoured_reception.hpp"
#include "fanout/hurry.hpp"
#include "fanout/pace.hpp"
#include "fanout/scenarios.hpp"
#include "fanout/subscribers.hpp"

namespace carillon::bench {

namespace {

constexpr std::uint64_t kWarmUp = 5;
constexpr std::uint64_t kBroadcastsPerSecondMax = 5000;  // that room is made for
constexpr std::uint32_t kOrderLife = 4;                  // updates of an order
constexpr std::chrono::seconds kPatience{30};            // then what has not come counts as lost

class TargetedRun {
 public:
  TargetedRun(const Peer& peer, const Mark& mark, const Servers& servers, const TargetedOptions& options)
      : peer_(peer), mark_(mark), servers_(servers), options_(options) {}

  Report run() {
    one_.hurry();
    const std::uint32_t connected =
        crowd_.connect(options_.clients, kHandshakesAtOnce, kConnectPatience) + one_.connect(1, 1, kConnectPatience);
    report_.set("connected", connected);
    const auto publisher = peer_.open_publisher(mark_);
    if (!publisher) report_.fault(publisher.error().message);
    if (connected < options_.clients + 1) report_.fault("not all clients were connected");
    if (!report_.is_void()) publish(**publisher);
    report_.add(crowd_.conclude());
    report_.add(one_.conclude());
    report_.add(to_all_.conclude(published_));
    report_.add(favoured_.conclude(published_));
    if (!report_.is_void()) set_figures();
    return std::move(report_);
  }

 private:
  void publish(Publisher& publisher) {
    Broadcasting broadcasting(publisher, to_all_, plan_);
    if (broadcasting.try_peer() && broadcasting.one_by_one(plan_.first_measured())) measure(broadcasting);
    published_ = broadcasting.published();
    if (!favoured_.wait_for(published_, kPatience)) report_.fault("events for the one client were missing");
    std::this_thread::sleep_for(kForRepeats);
    report_.add(broadcasting.faults());
  }

  void measure(Broadcasting& broadcasting) {
    before_ = Cost::now(servers_);
    std::atomic<bool> is_over = false;
    auto updating = std::async(std::launch::async, [&] {
      auto updated = publish_updates();
      is_over = true;
      return updated;
    });
    broadcasting.back_to_back(is_over);
    after_ = Cost::now(servers_);
    if (const auto updated = updating.get(); !updated) report_.fault(updated.error().message);
  }

  Result<> publish_updates() {
    hurry_this_thread();
    auto calls = peer_.open_calls();
    if (!calls) return std::unexpected(calls.error());
    const Schedule schedule{.start = std::chrono::steady_clock::now(), .interval = interval_};
    favoured_.set_start(schedule.start);
    const auto post = [&](std::uint64_t first, std::uint64_t end) {
      const MonoTime called = std::chrono::steady_clock::now();
      auto posted = calls->post(orders_.batch(first, end - first), end - first);
      calls_.record(std::chrono::steady_clock::now() - called);
      return posted;
    };
    return publish_on_schedule(schedule, orders_.size(), post, behind_);
  }

  void set_figures() {
    report_.set("seconds", in_seconds(after_.moment - before_.moment));
    report_.set("broadcasts", static_cast<double>(published_ - plan_.first_measured()));
    to_all_.set_figures(published_, report_);
    after_.report_since(before_, static_cast<double>(to_all_.deliveries()), report_);
    report_.set("updates", static_cast<double>(favoured_.latency().count()));
    report_.set_latencies("targeted", favoured_.latency());
    report_.set_latencies("published_behind", behind_);
    report_.set_latencies("call", calls_);
  }

  const Peer& peer_;
  const Mark& mark_;
  const Servers& servers_;
  const TargetedOptions options_;
  const std::chrono::nanoseconds interval_{static_cast<std::int64_t>(1e9 / options_.updates_per_second)};
  const EventBook orders_ =
      EventBook::orders(mark_.run() + "o", {.count = static_cast<std::size_t>(options_.duration / interval_),
                                            .first_user = options_.clients,
                                            .life = kOrderLife});
  const Bursts plan_{.warm_up = kWarmUp,
                     .measured = kBroadcastsPerSecondMax * static_cast<std::uint64_t>(options_.duration.count())};
  Reception to_all_{mark_, plan_, options_.clients};
  FavouredReception favoured_{mark_, orders_, interval_};
  const CarillonDialect favoured_dialect_{peer_.target(), options_.clients};
  Subscribers crowd_{peer_.target(), peer_.dialect(), to_all_, options_.sources};
  Subscribers one_{peer_.target(), favoured_dialect_, favoured_, 1};
  std::uint64_t published_ = 0;  // to all
  Cost before_{}, after_{};
  Histogram behind_, calls_;
  Report report_{"targeted"};
};

}  // namespace

Report run_targeted(const Peer& peer, const Mark& mark, const Servers& servers, const TargetedOptions& options) {
  return TargetedRun(peer, mark, servers, options).run();
}

}  // namespace carillon::bench
