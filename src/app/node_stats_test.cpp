#include "app/node_stats.hpp"

#include <gtest/gtest.h>

#include <string>

#include "admin/stats.hpp"
#include "telemetry/metrics.hpp"

namespace carillon::app {
namespace {

using telemetry::Labels;

// What a node says of itself, read back.
class NodeStatsTest : public testing::Test {
 protected:
  telemetry::Histogram& times(const std::string& stage, const std::string& event) {
    return registry_.histogram("carillon_" + stage + "_seconds", "", {{"event", event}});
  }
  void count(const std::string& name, std::uint64_t n, Labels labels = {}) {
    registry_.counter(name, "", std::move(labels)).add(n);
  }
  NodeStats read() const {
    const auto stats = NodeStats::read(admin::encode_stats(registry_, facts_));
    EXPECT_TRUE(stats.has_value());
    return stats.value_or(NodeStats{});
  }
  StageTimes written() const {
    return read().times.at(static_cast<std::size_t>(EventKind::order_update)).accepted_to_written;
  }

  telemetry::Registry registry_;
  admin::NodeFacts facts_{};
};

TEST_F(NodeStatsTest, BoundsPercentilesByTheirBuckets) {
  telemetry::Histogram& histogram = times("accept_write", "order_update");
  EXPECT_EQ(written(), (StageTimes{.limit = 2, .last_bound = 5}));
  const auto are = [&](std::uint64_t count, double p50, double p99, double slowest) {
    const StageTimes expected{.count = count, .p50 = p50, .p99 = p99, .slowest = slowest, .limit = 2, .last_bound = 5};
    EXPECT_EQ(written(), expected);
  };
  histogram.observe(0.0007);
  are(1, 0.001, 0.001, 0.001);
  histogram.observe(0.02);
  are(2, 0.001, 0.025, 0.025);
  for (int i = 2; i < 99; ++i) histogram.observe(0.0007);
  are(99, 0.001, 0.025, 0.025);
  histogram.observe(0.0007);
  are(100, 0.001, 0.001, 0.025);
}

TEST_F(NodeStatsTest, WhatIsBeyondEveryBucketHasNoBound) {
  telemetry::Histogram& histogram = times("accept_write", "order_update");
  histogram.observe(0.0001);
  histogram.observe(5.1);
  histogram.observe(60);
  EXPECT_EQ(written(), (StageTimes{.count = 3, .limit = 2, .last_bound = 5}));
  histogram.observe(0.0001);
  EXPECT_EQ(written(), (StageTimes{.count = 4, .p50 = 0.0001, .limit = 2, .last_bound = 5}));
}

TEST_F(NodeStatsTest, KeepsEventsAndStagesApart) {
  times("event_accept", "new_trade_signal").observe(0.3);
  times("accept_write", "order_update").observe(0.003);
  times("write_receipt", "system_alert").observe(2);
  count("carillon_event_accept_beyond_limit_total", 1, {{"event", "order_update"}});
  count("carillon_write_receipt_beyond_limit_total", 4, {{"event", "system_alert"}});
  const NodeStats stats = read();
  const auto& [signal, order, alert] = stats.times;
  EXPECT_EQ(signal.event_to_accepted.slowest, 0.5);
  EXPECT_EQ(signal.accepted_to_written.count, 0U);
  EXPECT_EQ(order.event_to_accepted.count, 0U);
  EXPECT_EQ(order.event_to_accepted.beyond_limit, 1U);
  EXPECT_EQ(order.accepted_to_written.slowest, 0.005);
  EXPECT_EQ(alert.written_to_receipt.slowest, 2);
  EXPECT_EQ(alert.written_to_receipt.beyond_limit, 4U);
  EXPECT_EQ(alert.written_to_receipt.limit, 5);
}

TEST_F(NodeStatsTest, CountsByReasonAndNow) {
  registry_.gauge("carillon_sessions", "").set(3);
  registry_.gauge("carillon_sessions_behind", "").set(2);
  registry_.gauge("carillon_connections", "").set(7);
  count("carillon_slow_clients_total", 1);
  count("carillon_withheld_total", 5, {{"reason", "repeat"}});
  count("carillon_dead_letters_total", 2, {{"reason", "owner_mismatch"}});
  count("carillon_dead_letters_total", 3, {{"reason", "not_json"}});
  count("carillon_resumes_total", 9, {{"result", "complete"}});
  facts_.obstacle = "reading the log";
  const NodeStats stats = read();
  EXPECT_EQ(stats.sessions, 3U);
  EXPECT_EQ(stats.sessions_behind, 2U);
  EXPECT_EQ(stats.connections, 7U);
  EXPECT_EQ(stats.slow_clients, 1U);
  EXPECT_EQ(stats.withheld, (NodeStats::Counts{{"repeat", 5}}));
  EXPECT_EQ(stats.dead_letters, (NodeStats::Counts{{"not_json", 3}, {"owner_mismatch", 2}}));
  EXPECT_EQ(stats.resumes, (NodeStats::Counts{{"complete", 9}}));
  EXPECT_EQ(stats.obstacle, "reading the log");
}

TEST_F(NodeStatsTest, RefusesWhatOthersSay) {
  std::string ours = admin::encode_stats(registry_, facts_);
  ours.replace(ours.find("\"sessions\""), 10, "\"sessiams\"");
  for (const std::string& text : {std::string(), std::string("<html>"), std::string("{}"), std::string("[1]"),
                                  std::string(R"({"events":{}})"), ours}) {
    const auto stats = NodeStats::read(text);
    ASSERT_FALSE(stats.has_value()) << text;
    EXPECT_EQ(stats.error().kind, ErrorKind::invalid);
  }
}

}  // namespace
}  // namespace carillon::app
