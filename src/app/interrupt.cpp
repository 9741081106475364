#include "app/interrupt.hpp"

#include <poll.h>
#include <sys/signalfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <initializer_list>
#include <limits>

#include "base/ensure.hpp"

namespace carillon::app {

namespace {

sigset_t signals(std::initializer_list<int> numbers) {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : numbers) sigaddset(&set, number);
  return set;
}

}  // namespace

Interrupt::Interrupt() {
  const sigset_t held = signals({SIGINT, SIGTERM, SIGPIPE});
  sigprocmask(SIG_BLOCK, &held, &before_);
  const sigset_t waited_for = signals({SIGINT, SIGTERM});
  // Never read, so that it stays raised.
  signals_ = net::Fd(::signalfd(-1, &waited_for, SFD_CLOEXEC | SFD_NONBLOCK));
  ensure(signals_.is_open(), "signals can be waited for");
}

Interrupt::~Interrupt() {
  // What is pending was answered; it must not kill the process now.
  const sigset_t held = signals({SIGINT, SIGTERM, SIGPIPE});
  const timespec no_time{};
  while (sigtimedwait(&held, nullptr, &no_time) > 0) {
  }
  sigprocmask(SIG_SETMASK, &before_, nullptr);
}

Interrupt::Waited Interrupt::wait_for(int fd, short events, milliseconds patience) const {
  const MonoTime deadline = SystemClock().mono_now() + patience;
  for (;;) {
    std::array<pollfd, 2> watched = {{{signals_.get(), POLLIN, 0}, {fd, events, 0}}};
    int timeout = -1;
    if (patience.count() >= 0) {
      const auto left = std::chrono::ceil<milliseconds>(deadline - SystemClock().mono_now());
      timeout = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, std::numeric_limits<int>::max()));
    }
    const int ready = ::poll(watched.data(), watched.size(), timeout);
    if (ready < 0 && errno == EINTR) continue;
    if (watched[0].revents != 0) return Waited::interrupted;
    return ready > 0 ? Waited::ready : Waited::timeout;
  }
}

}  // namespace carillon::app
