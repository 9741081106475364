#include "app/signals.hpp"

#include <pthread.h>
#include <sys/signalfd.h>

#include <csignal>
#include <utility>

#include "base/ensure.hpp"

namespace carillon::app {

namespace {

sigset_t watched() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
  return set;
}

}  // namespace

void block_signals() {
  const sigset_t set = watched();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  // A file at its size limit is an error of the write, which the journal takes for a full disk.
  std::signal(SIGXFSZ, SIG_IGN);
  // Nothing is meant by these; a stray one must not end the process (cases.md H14).
  std::signal(SIGUSR1, SIG_IGN);
  std::signal(SIGUSR2, SIG_IGN);
}

Signals::Signals(runtime::Loop& loop, std::function<void(int)> on_signal)
    : loop_(loop), on_signal_(std::move(on_signal)) {
  const sigset_t set = watched();
  fd_ = net::Fd(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
  ensure(fd_.is_open() && loop_.watch(fd_.get(), EPOLLIN, *this).has_value(), "signals can be watched");
}

Signals::~Signals() {
  loop_.unwatch(fd_.get(), *this);
}

void Signals::on_ready(std::uint32_t) {
  signalfd_siginfo info{};
  while (::read(fd_.get(), &info, sizeof info) == sizeof info) on_signal_(static_cast<int>(info.ssi_signo));
}

}  // namespace carillon::app
