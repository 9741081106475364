#include "load/alarm.hpp"

#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace carillon::bench {

Alarm::~Alarm() {
  if (timer_.is_open()) loop_.unwatch(timer_.get(), *this);
}

Result<> Alarm::start() {
  // The clock of std::chrono::steady_clock.
  timer_ = net::Fd(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
  if (!timer_.is_open()) return fail(ErrorKind::full, std::string("no timer: ") + std::strerror(errno));
  return loop_.watch(timer_.get(), EPOLLIN, *this);
}

void Alarm::set(MonoTime moment) {
  // Zero would switch it off.
  const auto since_boot = std::max(moment.time_since_epoch(), MonoTime::duration(1));
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since_boot);
  itimerspec when{};
  when.it_value.tv_sec = seconds.count();
  when.it_value.tv_nsec = (since_boot - seconds).count();
  ::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &when, nullptr);
}

void Alarm::on_ready(std::uint32_t) {
  std::uint64_t times = 0;
  [[maybe_unused]] const auto got = ::read(timer_.get(), &times, sizeof times);
  ring_();
}

}  // namespace carillon::bench
