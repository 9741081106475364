#include "telemetry/metrics_text.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace carillon::telemetry {
namespace {

TEST(MetricsText, ReadsBackWhatARegistrySays) {
  Registry registry;
  registry.counter("carillon_withheld_total", "a \\ b\nc", {{"reason", "odd \"\\\n}, x"}}).add(3);
  registry.counter("carillon_withheld_total", "", {{"reason", "repeat"}}).add(4);
  registry.gauge("carillon_sessions", "now").set(-2);
  Histogram& times = registry.histogram("carillon_times_seconds", "h", {{"event", "order_update"}});
  times.observe(0.0002);
  times.observe(9);

  const auto read = MetricsText::parse(registry.text());
  ASSERT_TRUE(read.has_value());
  ASSERT_EQ(read->of("carillon_withheld_total").size(), 2U);
  EXPECT_EQ(read->of("carillon_withheld_total")[0].label("reason"), "odd \"\\\n}, x");
  EXPECT_EQ(read->of("carillon_withheld_total")[0].value, 3);
  EXPECT_EQ(read->of("carillon_withheld_total")[1].label("reason"), "repeat");
  EXPECT_EQ(read->of("carillon_sessions")[0].value, -2);
  EXPECT_EQ(read->of("carillon_sessions")[0].label("reason"), "");
  const auto& buckets = read->of("carillon_times_seconds_bucket");
  ASSERT_EQ(buckets.size(), Histogram::kBounds.size() + 1);
  EXPECT_EQ(buckets.front().label("le"), "0.0001");
  EXPECT_EQ(buckets.front().value, 0);
  EXPECT_EQ(buckets[1].value, 1);
  EXPECT_EQ(buckets.back().label("le"), "+Inf");
  EXPECT_EQ(buckets.back().value, 2);
  EXPECT_TRUE(read->of("carillon_times_seconds").empty());
}

TEST(MetricsText, ReadsNumbersThatAreNone) {
  const auto read = MetricsText::parse("a NaN\na +Inf\na -Inf\na 1e-3\n\n# EOF");
  ASSERT_TRUE(read.has_value());
  ASSERT_EQ(read->of("a").size(), 4U);
  EXPECT_TRUE(std::isnan(read->of("a")[0].value));
  EXPECT_GT(read->of("a")[1].value, 1e300);
  EXPECT_LT(read->of("a")[2].value, -1e300);
  EXPECT_EQ(read->of("a")[3].value, 0.001);
}

TEST(MetricsText, RefusesWhatIsNoSampleAndNamesTheLine) {
  for (const char* line : {"<html>", "a", "a ", "a x", "a 1 2", "a1", "{a=\"b\"} 1", "a{ 1", "a{b} 1", "a{b=\"c} 1",
                           "a{b=\"c\\", "a{b=\"c\" d=\"e\"} 1", "a{b=\"c\"}1", "a{=\"c\"} 1"}) {
    const auto read = MetricsText::parse(std::string("ok 1\n") + line);
    ASSERT_FALSE(read.has_value()) << line;
    EXPECT_EQ(read.error().message, "line 2 is no sample of a metric") << line;
  }
}

}  // namespace
}  // namespace carillon::telemetry
