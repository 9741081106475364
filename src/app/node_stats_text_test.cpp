#include "app/node_stats_text.hpp"

#include <gtest/gtest.h>

namespace carillon::app {
namespace {

NodeStats quiet() {
  NodeStats stats;
  for (auto& times : stats.times)
    for (StageTimes* const stage : {&times.event_to_accepted, &times.accepted_to_written, &times.written_to_receipt})
      *stage = {.limit = &times == &stats.times[2] ? 5.0 : 2.0, .last_bound = 5};
  return stats;
}

NodeStats busy() {
  NodeStats stats = quiet();
  stats.times[0].event_to_accepted = {
      .count = 1234, .p50 = 0.0025, .p99 = 0.25, .slowest = 5, .limit = 2, .last_bound = 5};
  stats.times[1].accepted_to_written = {
      .count = 56, .p50 = 0.00025, .p99 = 2, .beyond_limit = 1, .limit = 2, .last_bound = 5};
  stats.withheld = {{"repeat", 4}, {"after_terminal", 1}};
  stats.dead_letters = {{"not\x1b_json", 2}};
  stats.resumes = {{"complete", 3}, {"trimmed", 0}};
  stats.connections = 12;
  stats.sessions = 11;
  stats.sessions_behind = 2;
  stats.slow_clients = 1;
  return stats;
}

TEST(NodeStatsText, IsATableForPeople) {
  EXPECT_EQ(node_stats_text("127.0.0.1:8444", busy()),
            R"(127.0.0.1:8444: 11 sessions on 12 connections, 2 behind; since the server started:

delivery times                              count         p50         p99     slowest     over limit
new_trade_signal  event to accepted          1234   <= 2.5 ms   <= 250 ms      <= 5 s         0 > 2 s
                  accepted to written           0           -           -           -         0 > 2 s
                  written to receipt            0           -           -           -         0 > 2 s
order_update      event to accepted             0           -           -           -         0 > 2 s
                  accepted to written          56   <= 250 µs      <= 2 s       > 5 s         1 > 2 s
                  written to receipt            0           -           -           -         0 > 2 s
system_alert      event to accepted             0           -           -           -         0 > 5 s
                  accepted to written           0           -           -           -         0 > 5 s
                  written to receipt            0           -           -           -         0 > 5 s

withheld       after_terminal 1, repeat 4
dead letters   not?_json 2
resumes        complete 3
slow clients   1)");
}

TEST(NodeStatsText, SaysThatThereIsNothing) {
  NodeStats stats = quiet();
  stats.obstacle = "reading the\x1b log";
  const std::string text = node_stats_text("[::1]:8444", stats);
  EXPECT_TRUE(
      text.starts_with("[::1]:8444: 0 sessions on 0 connections, 0 behind, not ready: reading the? log; "
                       "since the server started:\n"))
      << text;
  EXPECT_TRUE(text.ends_with("withheld       none\ndead letters   none\nresumes        none\nslow clients   0"))
      << text;
}

}  // namespace
}  // namespace carillon::app
