#include "app/node_stats_text.hpp"

#include <gtest/gtest.h>

#include "base/json.hpp"

namespace carillon::app {
namespace {

NodeStats busy() {
  NodeStats stats;
  stats.times[0].event_to_accepted = {.count = 1234, .p50 = 0.0025, .p99 = 0.25, .slowest = 5};
  stats.times[1].accepted_to_written = {.count = 56, .p50 = 0.00025, .p99 = 2, .beyond_limit = 1};
  stats.withheld = {{"repeat", 4}, {"after_terminal", 1}};
  stats.dead_letters = {{"not\x1b_json", 2}};
  stats.resumes = {{"complete", 3}, {"trimmed", 0}};
  stats.connections = 12;
  stats.sessions = 11;
  stats.slow_clients = 1;
  return stats;
}

TEST(NodeStatsText, IsATableForPeople) {
  EXPECT_EQ(node_stats_text("127.0.0.1:8444", busy()),
            R"(127.0.0.1:8444: 11 sessions on 12 connections; since the server started:

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
  const std::string text = node_stats_text("[::1]:8444", NodeStats{});
  EXPECT_TRUE(text.starts_with("[::1]:8444: 0 sessions on 0 connections; since the server started:\n")) << text;
  EXPECT_TRUE(text.ends_with("withheld       none\ndead letters   none\nresumes        none\nslow clients   0"))
      << text;
}

TEST(NodeStatsText, IsOneObjectForPrograms) {
  const std::string text = node_stats_json("127.0.0.1:8444", busy());
  const auto document = json::Document::parse(text);
  ASSERT_TRUE(document.has_value()) << text;
  const auto member = [](json::Value value, std::initializer_list<const char*> path) {
    for (const char* name : path) value = value.find(name).value_or(value);
    std::string found;
    value.append_to(found);
    return found;
  };
  const json::Value root = document->root();
  EXPECT_EQ(member(root, {"admin"}), R"("127.0.0.1:8444")");
  EXPECT_EQ(member(root, {"sessions"}), "11");
  EXPECT_EQ(member(root, {"connections"}), "12");
  EXPECT_EQ(member(root, {"delivery_seconds", "new_trade_signal", "event_to_accepted"}),
            R"({"count":1234,"p50":0.0025,"p99":0.25,"slowest":5,"beyond_limit":0,"limit":2})");
  EXPECT_EQ(member(root, {"delivery_seconds", "order_update", "accepted_to_written"}),
            R"({"count":56,"p50":0.00025,"p99":2,"slowest":null,"beyond_limit":1,"limit":2})");
  EXPECT_EQ(member(root, {"delivery_seconds", "system_alert", "written_to_receipt"}),
            R"({"count":0,"p50":null,"p99":null,"slowest":null,"beyond_limit":0,"limit":5})");
  EXPECT_EQ(member(root, {"withheld"}), R"({"after_terminal":1,"repeat":4})");
  EXPECT_EQ(member(root, {"dead_letters"}), R"({"not?_json":2})");
  EXPECT_EQ(member(root, {"resumes"}), R"({"complete":3,"trimmed":0})");
  EXPECT_EQ(member(root, {"slow_clients"}), "1");
}

}  // namespace
}  // namespace carillon::app
