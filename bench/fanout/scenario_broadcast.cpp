#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <optional>
#include <sstream>
#include <string>
#include <thread>

#include "fanout/message.hpp"
#include "fanout/reception.hpp"
#include "fanout/scenarios.hpp"
#include "fanout/subscribers.hpp"

namespace carillon::bench {

namespace {

constexpr std::uint32_t kHandshakesAtOnce = 64;
constexpr std::chrono::minutes kConnectPatience{5};
constexpr std::chrono::seconds kPatience{30};          // then what has not come counts as lost
constexpr std::chrono::seconds kSettle{3};             // the server still gives buffers back
constexpr std::chrono::milliseconds kForRepeats{500};  // for what comes twice
constexpr std::size_t kSizeTolerance = 2;              // positions grow by a digit now and then

MonoTime now() {
  return std::chrono::steady_clock::now();
}

// Private memory, when the server has given back what it does not need.
double settled_bytes_of(const Servers& servers) {
  std::this_thread::sleep_for(kSettle);
  return static_cast<double>(servers.anonymous_bytes());
}

double median_ms(const std::vector<Reception::Burst>& bursts, std::chrono::nanoseconds Reception::Burst::* figure) {
  std::vector<double> values;
  for (const Reception::Burst& burst : bursts) values.push_back(in_ms(burst.*figure));
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

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

// Publishes the bursts of a run and waits for them.
class Broadcasting {
 public:
  Broadcasting(Publisher& publisher, Reception& reception, const Bursts& plan)
      : publisher_(publisher), reception_(reception), plan_(plan) {}

  // One at a time, up to and without `end`: the next one when everybody has the last. False when one got lost.
  bool one_by_one(std::uint64_t end) {
    for (; next_ < end; ++next_) {
      reception_.set_due(next_, now());
      if (!publish(next_ + 1) || !wait_for(next_ + 1)) return false;
    }
    return true;
  }

  // All that are left, when they are due, the first one at `start`; those that are overdue go together.
  bool on_schedule(MonoTime start, std::chrono::nanoseconds interval) {
    const std::uint64_t first = next_;
    const auto due = [&](std::uint64_t burst) { return start + interval * static_cast<std::int64_t>(burst - first); };
    for (std::uint64_t burst = first; burst < plan_.all(); ++burst) reception_.set_due(burst, due(burst));
    while (next_ < plan_.all()) {
      std::this_thread::sleep_until(due(next_));
      const MonoTime moment = now();
      std::uint64_t end = next_;
      for (; end < plan_.all() && due(end) <= moment; ++end) behind_.record(moment - due(end));
      if (!publish(end)) return false;
      next_ = end;
    }
    return wait_for(plan_.all());
  }

  [[nodiscard]] const Faults& faults() const { return faults_; }
  [[nodiscard]] const Histogram& behind() const { return behind_; }

 private:
  bool publish(std::uint64_t end) {
    const std::uint64_t first = plan_.first_of(next_);
    const auto published = publisher_.publish(first, plan_.last_of(end - 1) + 1 - first);
    if (!published) faults_.add(published.error().message);
    return published.has_value();
  }

  bool wait_for(std::uint64_t bursts) {
    const bool came = reception_.wait_for(bursts, kPatience);
    if (!came) faults_.add("events were missing thirty seconds after they were published");
    return came;
  }

  Publisher& publisher_;
  Reception& reception_;
  const Bursts& plan_;
  std::uint64_t next_ = 0;
  Histogram behind_;
  Faults faults_;
};

// What was spent until a moment.
struct Cost {
  static Cost now(const Servers& servers) {
    return {.moment = std::chrono::steady_clock::now(),
            .server = servers.cpu_time(),
            .load = ServerProbe(::getpid()).cpu_time(),
            .allocations = servers.allocations()};
  }

  MonoTime moment;
  std::chrono::nanoseconds server, load;
  std::optional<std::uint64_t> allocations;
};

void check_sizes(Report& report, const Reception& reception) {
  report.set("message_bytes_min", static_cast<double>(reception.bytes_min()));
  report.set("message_bytes_max", static_cast<double>(reception.bytes_max()));
  if (reception.bytes_min() < kMessageBytes - kSizeTolerance || reception.bytes_max() > kMessageBytes + kSizeTolerance)
    report.fault("messages were not of the size that is compared");
}

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
  const auto publisher = options.only_listens ? Result<std::unique_ptr<Publisher>>(std::make_unique<Silence>())
                                              : peer.open_publisher(mark);
  if (!publisher) report.fault(publisher.error().message);
  if (connected < options.clients || !publisher) {
    report.add(subscribers.conclude());
    return report;
  }

  const auto told = options.is_shared ? told_start() : std::nullopt;
  if (options.is_shared && !told) {
    report.fault("it was not told when the first burst is due");
    return report;
  }
  Broadcasting broadcasting(**publisher, reception, plan);
  bool came = broadcasting.one_by_one(1);
  if (came) (*publisher)->learn_size(0, reception.trial_bytes());
  came = came && broadcasting.one_by_one(plan.first_measured());
  const MonoTime start = told.value_or(now());
  const Cost before = Cost::now(servers);
  came = came && (options.interval.count() > 0 ? broadcasting.on_schedule(start, options.interval)
                                               : broadcasting.one_by_one(plan.all()));
  const Cost after = Cost::now(servers);
  std::this_thread::sleep_for(kForRepeats);
  const double bytes_after = settled_bytes_of(servers);
  report.add(broadcasting.faults());
  report.add(subscribers.conclude());
  report.add(reception.conclude());
  if (!came) return report;

  const auto bursts = reception.measured();
  const auto deliveries = static_cast<double>(reception.latency().count());
  const double seconds = in_seconds(after.moment - start);
  report.set("deliveries", deliveries);
  report.set("seconds", seconds);
  report.set("deliveries_per_second", deliveries / seconds);
  report.set("cpu_per_delivery_us", in_us(after.server - before.server) / deliveries);
  report.set("load_cpu_per_delivery_us", in_us(after.load - before.load) / deliveries);
  report.set("first_client_ms", median_ms(bursts, &Reception::Burst::first));
  report.set("median_client_ms", median_ms(bursts, &Reception::Burst::median));
  report.set("last_client_ms", median_ms(bursts, &Reception::Burst::last));
  report.set_latencies("delivery", reception.latency());
  if (options.interval.count() > 0) report.set_latencies("published_behind", broadcasting.behind());
  report.set("used_bytes_per_connection", (bytes_after - bytes_before) / connected);
  if (before.allocations && after.allocations)
    report.set("allocations", static_cast<double>(*after.allocations - *before.allocations));
  check_sizes(report, reception);
  return report;
}

}  // namespace carillon::bench
