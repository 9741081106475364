#include "telemetry/log.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string>

namespace carillon::telemetry {
namespace {

// Each story runs in a process of its own, because the log belongs to the process and to its standard error.
class LogDeathTest : public testing::Test {
 protected:
  LogDeathTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

[[noreturn]] void log_below_and_at_the_level() {
  configure_log(LogFormat::json, Level::warning);
  log(Level::info, "quiet");
  log(Level::warning, "loud", {{"n", 1}});
  std::exit(0);  // what is queued is written on the way out
}

[[noreturn]] void log_to_a_pipe_nobody_reads() {
  std::array<int, 2> fds{};
  if (::pipe(fds.data()) != 0 || ::dup2(fds[1], STDERR_FILENO) < 0) std::_Exit(9);
  const std::string line(1000, 'x');
  while (log_lines_dropped() < 1000) log(Level::error, "x", {{"v", line}});
  std::exit(0);
}

TEST_F(LogDeathTest, WritesWhatReachesTheLevelBeforeTheProcessEnds) {
  EXPECT_EXIT(log_below_and_at_the_level(), testing::ExitedWithCode(0),
              "^\\{\"time\":\"[-0-9T:.]+Z\",\"level\":\"warning\",\"event\":\"loud\",\"n\":1\\}\n$");
}

TEST_F(LogDeathTest, BlockedStderrHoldsUpNeitherCallerNorExit) {
  EXPECT_EXIT(log_to_a_pipe_nobody_reads(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace carillon::telemetry
