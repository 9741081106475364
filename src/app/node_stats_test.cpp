#include "app/node_stats.hpp"

#include <gtest/gtest.h>

#include <string>

#include "telemetry/metrics.hpp"

namespace carillon::app {
namespace {

using telemetry::Labels;

class NodeStatsTest : public testing::Test {
 protected:
  NodeStatsTest() { registry_.gauge("carillon_sessions", "").set(2); }

  telemetry::Histogram& times(const std::string& stage, const std::string& event) {
    return registry_.histogram("carillon_" + stage + "_seconds", "", {{"event", event}});
  }
  void count(const std::string& name, std::uint64_t n, Labels labels = {}) {
    registry_.counter(name, "", std::move(labels)).add(n);
  }
  NodeStats read() const {
    const auto metrics = telemetry::MetricsText::parse(registry_.text());
    const auto stats = metrics ? NodeStats::read(*metrics) : std::unexpected(metrics.error());
    EXPECT_TRUE(stats.has_value());
    return stats.value_or(NodeStats{});
  }
  StageTimes written(EventKind kind = EventKind::order_update) const {
    return read().times.at(static_cast<std::size_t>(kind)).accepted_to_written;
  }

  telemetry::Registry registry_;
};

TEST_F(NodeStatsTest, BoundsPercentilesByTheirBuckets) {
  telemetry::Histogram& histogram = times("accept_write", "order_update");
  EXPECT_EQ(written(), StageTimes{});
  histogram.observe(0.0007);
  EXPECT_EQ(written(), (StageTimes{.count = 1, .p50 = 0.001, .p99 = 0.001, .slowest = 0.001}));
  histogram.observe(0.02);
  EXPECT_EQ(written(), (StageTimes{.count = 2, .p50 = 0.001, .p99 = 0.025, .slowest = 0.025}));
  for (int i = 2; i < 99; ++i) histogram.observe(0.0007);
  EXPECT_EQ(written(), (StageTimes{.count = 99, .p50 = 0.001, .p99 = 0.025, .slowest = 0.025}));
  histogram.observe(0.0007);
  EXPECT_EQ(written(), (StageTimes{.count = 100, .p50 = 0.001, .p99 = 0.001, .slowest = 0.025}));
}

TEST_F(NodeStatsTest, WhatIsBeyondEveryBucketHasNoBound) {
  telemetry::Histogram& histogram = times("accept_write", "order_update");
  histogram.observe(0.0001);
  histogram.observe(5.1);
  histogram.observe(60);
  EXPECT_EQ(written(), (StageTimes{.count = 3}));
  histogram.observe(0.0001);
  EXPECT_EQ(written(), (StageTimes{.count = 4, .p50 = 0.0001}));
}

TEST_F(NodeStatsTest, KeepsEventsAndStagesApart) {
  times("event_accept", "new_trade_signal").observe(0.3);
  times("accept_write", "order_update").observe(1.5);
  times("accept_write", "order_update").observe(0.003);  // the cell of another thread
  times("write_receipt", "system_alert").observe(2);
  count("carillon_event_accept_beyond_limit_total", 1, {{"event", "order_update"}});
  count("carillon_write_receipt_beyond_limit_total", 4, {{"event", "system_alert"}});
  const NodeStats stats = read();
  const auto& [signal, order, alert] = stats.times;
  EXPECT_EQ(signal.event_to_accepted, (StageTimes{.count = 1, .p50 = 0.5, .p99 = 0.5, .slowest = 0.5}));
  EXPECT_EQ(signal.accepted_to_written, StageTimes{});
  EXPECT_EQ(order.event_to_accepted, StageTimes{.beyond_limit = 1});
  EXPECT_EQ(order.accepted_to_written, (StageTimes{.count = 2, .p50 = 0.005, .p99 = 2, .slowest = 2}));
  EXPECT_EQ(alert.written_to_receipt, (StageTimes{.count = 1, .p50 = 2, .p99 = 2, .slowest = 2, .beyond_limit = 4}));
}

TEST_F(NodeStatsTest, CountsByReasonAndNow) {
  registry_.gauge("carillon_sessions", "").set(3);  // of another shard
  registry_.gauge("carillon_connections", "").set(7);
  count("carillon_slow_clients_total", 1);
  count("carillon_withheld_total", 5, {{"reason", "repeat"}});
  count("carillon_dead_letters_total", 2, {{"reason", "owner_mismatch"}});
  count("carillon_dead_letters_total", 3, {{"reason", "not_json"}});
  count("carillon_resumes_total", 9, {{"result", "complete"}});
  const NodeStats stats = read();
  EXPECT_EQ(stats.sessions, 5U);
  EXPECT_EQ(stats.connections, 7U);
  EXPECT_EQ(stats.slow_clients, 1U);
  EXPECT_EQ(stats.withheld, (NodeStats::Counts{{"repeat", 5}}));
  EXPECT_EQ(stats.dead_letters, (NodeStats::Counts{{"not_json", 3}, {"owner_mismatch", 2}}));
  EXPECT_EQ(stats.resumes, (NodeStats::Counts{{"complete", 9}}));
}

TEST(NodeStats, RefusesTheMetricsOfOthers) {
  const auto metrics = telemetry::MetricsText::parse("go_goroutines 7\n");
  ASSERT_TRUE(metrics.has_value());
  const auto stats = NodeStats::read(*metrics);
  ASSERT_FALSE(stats.has_value());
  EXPECT_EQ(stats.error().kind, ErrorKind::invalid);
}

}  // namespace
}  // namespace carillon::app
