#include "fanout/broadcasting.hpp"

#include "fanout/pace.hpp"

namespace carillon::bench {

namespace {

constexpr std::chrono::seconds kPatience{30};  // then what has not come counts as lost

MonoTime now() {
  return std::chrono::steady_clock::now();
}

}  // namespace

bool Broadcasting::is_fine(const Result<>& result) {
  if (!result) faults_.add(result.error().message);
  return result.has_value();
}

Result<> Broadcasting::publish(std::uint64_t end) {
  const std::uint64_t first = plan_.first_of(next_);
  next_ = end;
  return publisher_.publish(first, plan_.last_of(end - 1) + 1 - first);
}

bool Broadcasting::wait_for(std::uint64_t bursts) {
  const bool came = reception_.wait_for(bursts, kPatience);
  if (!came) faults_.add("events were missing thirty seconds after they were published");
  return came;
}

bool Broadcasting::try_peer() {
  if (!one_by_one(1)) return false;
  publisher_.learn_size(0, reception_.trial_bytes());
  return true;
}

bool Broadcasting::one_by_one(std::uint64_t end) {
  while (next_ < end) {
    reception_.set_due(next_, now());
    if (!is_fine(publish(next_ + 1)) || !wait_for(next_)) return false;
  }
  return true;
}

bool Broadcasting::back_to_back(const std::atomic<bool>& is_over) {
  while (!is_over) {
    if (next_ == plan_.all())
      return is_fine(fail(ErrorKind::full, "more broadcasts got through than were planned for"));
    reception_.set_due(next_, now());
    if (!is_fine(publish(next_ + 1))) return false;
    if (!reception_.wait_for_half(next_, kPatience)) break;
  }
  return wait_for(next_);
}

bool Broadcasting::on_schedule(MonoTime start, std::chrono::nanoseconds interval) {
  const std::uint64_t base = next_;
  const Schedule schedule{.start = start, .interval = interval};
  for (std::uint64_t burst = base; burst < plan_.all(); ++burst) reception_.set_due(burst, schedule.due(burst - base));
  const auto publish_until = [&](std::uint64_t, std::uint64_t end) { return publish(base + end); };
  return is_fine(publish_on_schedule(schedule, plan_.all() - base, publish_until, behind_)) && wait_for(plan_.all());
}

}  // namespace carillon::bench
