#pragma once

#include <csignal>
#include <cstdint>

#include "base/clock.hpp"
#include "net/fd.hpp"

namespace carillon::app {

// Ctrl-C and SIGTERM as something to wait for, so that a client command ends in order. A closed pipe or connection
// becomes an error instead of a signal. One at a time; on the only thread of a command.
class Interrupt {
 public:
  enum class Waited : std::uint8_t { ready, timeout, interrupted };

  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  // Once interrupted, always.
  [[nodiscard]] bool is_raised() const { return wait(milliseconds{0}) == Waited::interrupted; }
  [[nodiscard]] Waited wait(milliseconds patience) const { return wait_for(-1, 0, patience); }
  // Until poll(2) reports one of `events` for `fd`. Negative patience: for as long as it takes.
  [[nodiscard]] Waited wait_for(int fd, short events, milliseconds patience) const;

 private:
  sigset_t before_{};
  net::Fd signals_;
};

}  // namespace carillon::app
