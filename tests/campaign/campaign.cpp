#include "campaign/campaign.hpp"

#include <algorithm>
#include <random>
#include <string>
#include <thread>

#include "load/thread_call.hpp"

namespace carillon::campaign {

namespace {

constexpr std::string_view kCanary = "trader-";  // begins like every user's name, and has no event of its own
constexpr milliseconds kBetweenLooks{50};
constexpr std::chrono::seconds kForTheLast{2};  // heartbeats, and what comes although it should not

// Of one to three clients each, and the canary at the end.
std::vector<std::uint32_t> users_of_clients(std::uint32_t users) {
  std::vector<std::uint32_t> result;
  for (std::uint32_t user = 0; user < users; ++user) result.insert(result.end(), 1 + user % 3, user);
  result.push_back(CampaignAudit::kNoUser);
  return result;
}

Device::Nature nature_of(std::size_t client) {
  switch (client % 6) {
    case 0:
      return Device::Nature::slow;
    case 2:
    case 5:
      return Device::Nature::restless;
    default:
      return Device::Nature::steady;
  }
}

template <class Parts>
double sum(const Parts& parts, auto member) {
  std::uint64_t total = 0;
  for (const auto& part : parts) total += part->figures().*member;
  return static_cast<double>(total);
}

}  // namespace

Campaign::Campaign(const bench::Target& target, const CampaignOptions& options)
    : audit_({options.users, options.order}, users_of_clients(options.users)), thread_(clock_, "campaign") {
  std::mt19937_64 random(options.seed);
  for (const std::uint32_t user : users_of_clients(options.users)) {
    const auto number = static_cast<std::uint32_t>(devices_.size());
    const std::string name = user == CampaignAudit::kNoUser ? std::string(kCanary) : user_name(user);
    devices_.push_back(std::make_unique<Device>(number, name, nature_of(number), random(), thread_.loop(), room_,
                                                target, audit_, faults_));
  }
  for (std::uint32_t i = 0; i < options.publishers; ++i) {
    BatchPublisher::Plan plan;
    for (std::uint32_t user = i; user < options.users; user += options.publishers) plan.users.push_back(user);
    plan.signals = i == 0;
    plan.alerts = i == options.publishers - 1;
    plan.many_nodes = options.many_nodes;
    plan.events_per_second = options.events_per_second / options.publishers;
    plan.seed = random();
    publishers_.push_back(
        std::make_unique<BatchPublisher>(thread_.loop(), room_, target, audit_, faults_, std::move(plan)));
  }
  thread_.start();
}

Campaign::~Campaign() {
  thread_.stop();
}

bool Campaign::open(milliseconds patience) {
  bench::call_on(thread_.loop(), [&] {
    for (const auto& device : devices_) device->start();
  });
  return wait_for(patience, &Campaign::are_all_live);
}

void Campaign::begin() {
  bench::call_on(thread_.loop(), [&] {
    for (const auto& publisher : publishers_) publisher->start();
  });
}

bool Campaign::finish(milliseconds patience) {
  bench::call_on(thread_.loop(), [&] {
    for (const auto& publisher : publishers_) publisher->finish();
    for (const auto& device : devices_) device->calm_down();
  });
  const bool in_time = wait_for(patience, &Campaign::is_all_over);
  std::this_thread::sleep_for(kForTheLast);
  if (!in_time) return false;
  bench::call_on(thread_.loop(), [&] {
    for (const auto& publisher : publishers_) publisher->tell_open();
    for (const auto& device : devices_) device->begin_anew();
  });
  return wait_for(patience, &Campaign::are_all_live);
}

bool Campaign::wait_for(milliseconds patience, bool (Campaign::*holds)() const) {
  const auto give_up = std::chrono::steady_clock::now() + patience;
  while (!bench::call_on(thread_.loop(), [&] { return (this->*holds)(); })) {
    if (std::chrono::steady_clock::now() > give_up) return false;
    std::this_thread::sleep_for(kBetweenLooks);
  }
  return true;
}

bool Campaign::are_all_live() const {
  return std::ranges::all_of(devices_, [](const auto& device) { return device->is_live(); });
}

bool Campaign::is_all_over() const {
  return are_all_live() && audit_.is_complete() &&
         std::ranges::all_of(publishers_, [](const auto& publisher) { return publisher->has_finished(); });
}

bench::Report Campaign::report() {
  bench::Report report("campaign");
  bench::call_on(thread_.loop(), [&] {
    const Verdict verdict = audit_.conclude();
    const auto set = [&](const char* name, std::uint64_t value) { report.set(name, static_cast<double>(value)); };
    set("acknowledged", verdict.acknowledged);
    set("deliveries", verdict.deliveries);
    set("lost", verdict.lost);
    set("repeated", verdict.repeated);
    set("out_of_order", verdict.out_of_order);
    set("leaked", verdict.leaked);
    set("unannounced_gaps", verdict.unannounced_gaps);
    set("announced_gaps", verdict.announced_gaps);
    set("altered", verdict.altered);
    set("wrong_counts", verdict.wrong_counts);
    set("wrong_states", verdict.wrong_states);
    set("heartbeats", verdict.heartbeats);
    set("clients", devices_.size());
    report.set("connections", sum(devices_, &Device::Figures::connections));
    report.set("replays", sum(devices_, &Device::Figures::replays));
    report.set("replayed", sum(devices_, &Device::Figures::replayed));
    report.set("replays_broken", sum(devices_, &Device::Figures::replays_broken));
    report.set("cuts", sum(devices_, &Device::Figures::cuts));
    report.set("pauses", sum(devices_, &Device::Figures::pauses));
    report.set("too_slow", sum(devices_, &Device::Figures::too_slow));
    report.set("calls", sum(publishers_, &BatchPublisher::Figures::calls));
    report.set("for_nobody", sum(publishers_, &BatchPublisher::Figures::for_nobody));
    report.set("outcomes_unknown", sum(publishers_, &BatchPublisher::Figures::outcomes_unknown));
    report.set("found_stored", sum(publishers_, &BatchPublisher::Figures::found_stored));
    report.set("calls_repeated", sum(publishers_, &BatchPublisher::Figures::repeated));
    report.set("clients_put_off", sum(devices_, &Device::Figures::put_off));
    report.set("put_off", sum(publishers_, &BatchPublisher::Figures::put_off));
    report.set("given_up", sum(publishers_, &BatchPublisher::Figures::given_up));
    report.add(audit_.faults());
    report.add(faults_);
    if (verdict.lost > 0) report.fault("events were lost");
    if (verdict.acknowledged == 0) report.fault("nothing was acknowledged");
  });
  return report;
}

}  // namespace carillon::campaign
