#pragma once

#include <sys/time.h>

#include "base/clock.hpp"

namespace carillon::eventlog {

// As C libraries take a wait.
[[nodiscard]] inline timeval as_timeval(milliseconds time) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
  return {.tv_sec = seconds.count(), .tv_usec = std::chrono::microseconds(time - seconds).count()};
}

}  // namespace carillon::eventlog
