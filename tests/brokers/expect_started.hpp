#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <string_view>

#include "base/result.hpp"

namespace carillon::brokers {

// In a test's set-up, what a broker's start() gave: skips the test where this broker cannot be had on this machine, but
// for continuous integration (CI=true), which has them all; fails it where the broker does not start.
inline void expect_started(const Result<>& started) {
  if (started) return;
  const char* ci = std::getenv("CI");  // NOLINT(concurrency-mt-unsafe): nobody sets it here
  const bool may_skip = ci == nullptr || std::string_view(ci) != "true";
  if (started.error().kind == ErrorKind::not_found && may_skip) GTEST_SKIP() << started.error().message;
  FAIL() << started.error().message;
}

}  // namespace carillon::brokers
