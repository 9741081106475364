#include "fanout/reception.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "fanout/message.hpp"

namespace carillon::bench {

namespace {

constexpr std::size_t kSizeTolerance = 2;  // positions grow by a digit now and then

}  // namespace

Reception::Reception(Mark mark, const Bursts& bursts, std::uint32_t clients)
    : mark_(std::move(mark)),
      plan_(bursts),
      clients_(clients),
      due_(bursts.all()),
      next_(clients, 0),
      bursts_(bursts.all()) {}

void Reception::set_due(std::uint64_t burst, MonoTime due) {
  due_[burst].store(due.time_since_epoch().count(), std::memory_order_relaxed);
}

void Reception::on_message(std::uint32_t client, std::string_view text, MonoTime now) {
  const auto number = mark_.number_in(text);
  const std::uint64_t due = next_[client];
  if (!number) return faults_.add(fmt::format("client {} got no event of this run: {}", client, text.substr(0, 300)));
  if (*number != due) return faults_.add(fmt::format("client {} got event {} where {} was due", client, *number, due));
  const std::uint64_t burst = plan_.burst_of(due);
  if (burst >= plan_.all()) return faults_.add(fmt::format("client {} got event {}", client, due));
  ++next_[client];
  const std::chrono::nanoseconds latency =
      now - MonoTime(MonoTime::duration(due_[burst].load(std::memory_order_relaxed)));
  if (burst == 0) trial_bytes_ = text.size();
  if (burst >= plan_.first_measured()) measure(latency, text.size());
  if (due == plan_.last_of(burst)) count(bursts_[burst], latency);
}

void Reception::measure(std::chrono::nanoseconds latency, std::size_t bytes) {
  latency_.record(latency);
  bytes_min_ = std::min(bytes_min_, bytes);
  bytes_max_ = std::max(bytes_max_, bytes);
}

// Times only grow, so that the first to come is the fastest.
void Reception::count(Burst& burst, std::chrono::nanoseconds latency) {
  ++burst.came;
  if (burst.came == 1) burst.first = latency;
  if (burst.came == clients_ / 2 + 1) {
    burst.median = latency;
    tell(halfway_);
  }
  if (burst.came < clients_) return;
  burst.last = latency;
  tell(complete_);
}

void Reception::tell(std::uint64_t& bursts) {
  const std::lock_guard lock(mutex_);
  ++bursts;
  grew_.notify_all();
}

bool Reception::wait(const std::uint64_t& bursts, std::uint64_t count, milliseconds patience) {
  std::unique_lock lock(mutex_);
  return grew_.wait_for(lock, patience, [&] { return bursts >= count; });
}

bool Reception::wait_for(std::uint64_t bursts, milliseconds patience) {
  return wait(complete_, bursts, patience);
}

bool Reception::wait_for_half(std::uint64_t bursts, milliseconds patience) {
  return wait(halfway_, bursts, patience);
}

Faults Reception::conclude(std::uint64_t bursts) const {
  Faults faults = faults_;
  const std::uint64_t all = plan_.first_of(bursts);
  for (std::uint32_t client = 0; client < clients_; ++client)
    if (next_[client] != all) faults.add(fmt::format("client {} got {} of {} events", client, next_[client], all));
  return faults;
}

double Reception::median_ms(std::uint64_t bursts, std::chrono::nanoseconds Burst::* figure) const {
  std::vector<double> values;
  values.reserve(bursts);
  for (std::uint64_t burst = plan_.first_measured(); burst < bursts; ++burst)
    values.push_back(in_ms(bursts_[burst].*figure));
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

void Reception::set_figures(std::uint64_t bursts, Report& report) const {
  report.set("deliveries", static_cast<double>(deliveries()));
  report.set("first_client_ms", median_ms(bursts, &Burst::first));
  report.set("median_client_ms", median_ms(bursts, &Burst::median));
  report.set("last_client_ms", median_ms(bursts, &Burst::last));
  report.set_latencies("delivery", latency_);
  report.set("message_bytes_min", static_cast<double>(bytes_min_));
  report.set("message_bytes_max", static_cast<double>(bytes_max_));
  if (bytes_min_ < kMessageBytes - kSizeTolerance || bytes_max_ > kMessageBytes + kSizeTolerance)
    report.fault("messages were not of the size that is compared");
}

}  // namespace carillon::bench
