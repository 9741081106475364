#include "runtime/timer_wheel.hpp"

#include <algorithm>

namespace carillon::runtime {

namespace {
void link(Timer*& head, Timer& timer, Timer**& previous, Timer*& next) {
  next = head;
  previous = &head;
  head = &timer;
}
}  // namespace

void Timer::disarm() {
  if (previous_ == nullptr) return;
  *previous_ = next_;
  if (next_ != nullptr) next_->previous_ = previous_;
  previous_ = nullptr;
  next_ = nullptr;
}

TimerWheel::~TimerWheel() {
  for (Timer*& slot : slots_)
    while (slot != nullptr) slot->disarm();
}

std::uint64_t TimerWheel::tick_of(MonoTime time) const {
  if (time <= start_) return 0;
  return static_cast<std::uint64_t>((time - start_) / kTick);
}

void TimerWheel::arm(Timer& timer, MonoTime when) {
  timer.disarm();
  // The tick in which `when` falls ends after it, so firing at the next tick is never early.
  timer.tick_ = std::max(tick_of(when) + 1, done_ + 1);
  Timer*& head = slots_[timer.tick_ % kSlots];
  if (head != nullptr) head->previous_ = &timer.next_;
  link(head, timer, timer.previous_, timer.next_);
}

void TimerWheel::advance(MonoTime now) {
  const std::uint64_t target = tick_of(now);
  // After a long pause every slot is visited once, not once per missed tick.
  if (target - std::min(done_, target) > kSlots) {
    const std::uint64_t skipped_to = target - kSlots;
    done_ = std::max(done_, skipped_to);
  }
  while (done_ < target) {
    ++done_;
    fire_slot(done_);
  }
}

void TimerWheel::fire_slot(std::uint64_t tick) {
  // Handlers may disarm any other timer, so no pointer into the list survives a call: take the due ones out first.
  Timer* due = nullptr;
  for (Timer* timer = slots_[tick % kSlots]; timer != nullptr;) {
    Timer* const next = timer->next_;
    if (timer->tick_ <= tick) {
      timer->disarm();
      if (due != nullptr) due->previous_ = &timer->next_;
      link(due, *timer, timer->previous_, timer->next_);
    }
    timer = next;
  }
  while (due != nullptr) {
    Timer& timer = *due;
    timer.disarm();
    timer.handler_.on_timer();
  }
}

std::optional<milliseconds> TimerWheel::time_to_next(MonoTime now) const {
  for (std::uint64_t ahead = 1; ahead <= kSlots; ++ahead) {
    if (slots_[(done_ + ahead) % kSlots] == nullptr) continue;
    const MonoTime at = start_ + kTick * static_cast<std::int64_t>(done_ + ahead);
    return std::max(milliseconds{0}, std::chrono::ceil<milliseconds>(at - now));
  }
  return std::nullopt;
}

}  // namespace carillon::runtime
