#include "admin/stats.hpp"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

#include "base/json.hpp"

namespace carillon::admin {
namespace {

class StatsTest : public testing::Test {
 protected:
  // The text of what is at the end of this path of members; "-" where there is none.
  [[nodiscard]] std::string at(std::initializer_list<const char*> path) const {
    const auto document = json::Document::parse(encode_stats(metrics_, facts_));
    EXPECT_TRUE(document.has_value());
    if (!document) return {};
    json::Value value = document->root();
    for (const char* name : path) {
      const auto member = value.find(name);
      if (!member) return "-";
      value = *member;
    }
    std::string text;
    value.append_to(text);
    return text;
  }

  telemetry::Registry metrics_;
  NodeFacts facts_{.version = "1.2.3",
                   .at = WallTime(std::chrono::milliseconds(1'795'000'000'123)),
                   .uptime = std::chrono::seconds(90),
                   .obstacle = {},
                   .log_kind = "kafka",
                   .log_is_writable = true};
};

TEST_F(StatsTest, ANodeThatHasDoneNothingSaysSo) {
  EXPECT_EQ(at({"version"}), "\"1.2.3\"");
  EXPECT_EQ(at({"at"}), "\"2026-11-18T11:06:40.123Z\"");
  EXPECT_EQ(at({"uptime_seconds"}), "90");
  EXPECT_EQ(at({"ready"}), "true");
  EXPECT_EQ(at({"obstacle"}), "-");
  EXPECT_EQ(at({"log"}), R"({"kind":"kafka","connected":true,"writable":true,"lag_milliseconds":0})");
  for (const char* name : {"connections", "sessions", "sessions_behind", "notifications_sent", "slow_clients"})
    EXPECT_EQ(at({name}), "0") << name;
  for (const char* name : {"withheld", "dead_letters", "resumes", "auth_failed", "invalid_messages", "http_responses",
                           "rest_calls", "sessions_closed"})
    EXPECT_EQ(at({name}), "{}") << name;
  EXPECT_EQ(at({"events", "order_update", "published"}), "0");
  EXPECT_EQ(at({"events", "order_update", "written_to_receipt", "count"}), "0");
}

TEST_F(StatsTest, ItSaysWhyItIsNotReady) {
  facts_.obstacle = "the log takes no \"events\"";
  facts_.log_is_writable = false;
  metrics_.gauge("carillon_log_connected", "").set(0);
  metrics_.gauge("carillon_log_lag_milliseconds", "").set(1500);
  EXPECT_EQ(at({"ready"}), "false");
  EXPECT_EQ(at({"obstacle"}), R"("the log takes no \"events\"")");
  EXPECT_EQ(at({"log"}), R"({"kind":"kafka","connected":false,"writable":false,"lag_milliseconds":1500})");
}

TEST_F(StatsTest, CellsOfAllThreadsAreAddedUp) {
  for (const int n : {3, 4}) {
    metrics_.gauge("carillon_sessions", "").set(n);
    metrics_.counter("carillon_auth_failed_total", "", {{"code", "expired"}}).add(static_cast<std::uint64_t>(n));
  }
  metrics_.counter("carillon_auth_failed_total", "", {{"code", "unknown_key"}}).add(1);
  metrics_.gauge("carillon_sessions_behind", "").set(-1);  // read between the two sides of a change
  EXPECT_EQ(at({"sessions"}), "7");
  EXPECT_EQ(at({"sessions_behind"}), "0");
  EXPECT_EQ(at({"auth_failed"}), R"({"expired":7,"unknown_key":1})");
}

TEST_F(StatsTest, AStageIsAHistogramWithItsLimit) {
  const telemetry::Labels alerts{{"event", "system_alert"}};
  metrics_.counter("carillon_published_total", "", alerts).add(4);
  metrics_.counter("carillon_published_late_total", "", alerts).add(1);
  for (const double seconds : {0.00005, 0.002, 0.002, 6.0})
    metrics_.histogram("carillon_accept_write_seconds", "", alerts).observe(seconds);
  metrics_.counter("carillon_accept_write_beyond_limit_total", "", alerts).add(1);
  EXPECT_EQ(at({"events", "system_alert", "published"}), "4");
  EXPECT_EQ(at({"events", "system_alert", "late"}), "1");
  EXPECT_EQ(at({"events", "system_alert", "accepted_to_written"}),
            R"({"count":4,"beyond_limit":1,"limit_seconds":5,"buckets":[{"le_seconds":0.0001,"count":1},)"
            R"({"le_seconds":0.00025,"count":0},{"le_seconds":0.0005,"count":0},{"le_seconds":0.001,"count":0},)"
            R"({"le_seconds":0.0025,"count":2},{"le_seconds":0.005,"count":0},{"le_seconds":0.01,"count":0},)"
            R"({"le_seconds":0.025,"count":0},{"le_seconds":0.05,"count":0},{"le_seconds":0.1,"count":0},)"
            R"({"le_seconds":0.25,"count":0},{"le_seconds":0.5,"count":0},{"le_seconds":1,"count":0},)"
            R"({"le_seconds":2,"count":0},{"le_seconds":5,"count":0},{"le_seconds":null,"count":1}]})");
  EXPECT_EQ(at({"events", "order_update", "accepted_to_written", "limit_seconds"}), "2");
  EXPECT_EQ(at({"events", "order_update", "accepted_to_written", "count"}), "0");
}

}  // namespace
}  // namespace carillon::admin
