#include "fanout/reception.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace carillon::bench {

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
  if (due > plan_.last_of(plan_.all() - 1)) return faults_.add(fmt::format("client {} got event {}", client, due));
  ++next_[client];
  const std::uint64_t burst = plan_.burst_of(due);
  const std::chrono::nanoseconds latency =
      now - MonoTime(MonoTime::duration(due_[burst].load(std::memory_order_relaxed)));
  if (burst == 0) trial_bytes_ = text.size();
  if (burst >= plan_.first_measured()) {
    latency_.record(latency);
    bytes_min_ = std::min(bytes_min_, text.size());
    bytes_max_ = std::max(bytes_max_, text.size());
  }
  if (due == plan_.last_of(burst)) count(bursts_[burst], latency);
}

// Times only grow, so that the first to come is the fastest.
void Reception::count(Burst& burst, std::chrono::nanoseconds latency) {
  ++burst.came;
  if (burst.came == 1) burst.first = latency;
  if (burst.came == clients_ / 2 + 1) burst.median = latency;
  if (burst.came < clients_) return;
  burst.last = latency;
  const std::lock_guard lock(mutex_);
  ++complete_;
  grew_.notify_all();
}

bool Reception::wait_for(std::uint64_t bursts, milliseconds patience) {
  std::unique_lock lock(mutex_);
  return grew_.wait_for(lock, patience, [&] { return complete_ >= bursts; });
}

std::vector<Reception::Burst> Reception::measured() const {
  return {bursts_.begin() + static_cast<std::ptrdiff_t>(plan_.first_measured()), bursts_.end()};
}

Faults Reception::conclude() const {
  Faults faults = faults_;
  const std::uint64_t all = plan_.last_of(plan_.all() - 1) + 1;
  for (std::uint32_t client = 0; client < clients_; ++client)
    if (next_[client] != all)
      faults.add(fmt::format("client {} lacks events from {} of {}", client, next_[client], all));
  return faults;
}

}  // namespace carillon::bench
