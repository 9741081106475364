#include "telemetry/metrics.hpp"

#include <gtest/gtest.h>

#include <string>

namespace carillon::telemetry {
namespace {

TEST(Registry, EmptyHasNoText) {
  EXPECT_EQ(Registry().text(), "");
}

TEST(Registry, SumsTheCellsOfOneSeriesAndNamesHelpAndTypeOnce) {
  Registry registry;
  registry.counter("carillon_deliveries_total", "Notifications sent.", {{"event", "order_update"}}).add(2);
  registry.counter("carillon_deliveries_total", "Other help.", {{"event", "order_update"}}).add(3);
  registry.counter("carillon_deliveries_total", "", {{"event", "system_alert"}}).add();
  EXPECT_EQ(registry.text(),
            "# HELP carillon_deliveries_total Notifications sent.\n"
            "# TYPE carillon_deliveries_total counter\n"
            "carillon_deliveries_total{event=\"order_update\"} 5\n"
            "carillon_deliveries_total{event=\"system_alert\"} 1\n");
}

TEST(Registry, OutputIsSortedByNameAndLabels) {
  Registry registry;
  registry.gauge("b", "B.").set(-1);
  registry.gauge("a", "A.", {{"y", "2"}, {"x", "1"}}).add(7);
  registry.gauge("a", "A.", {{"x", "1"}, {"y", "2"}}).add(1);
  EXPECT_EQ(registry.text(), "# HELP a A.\n# TYPE a gauge\na{x=\"1\",y=\"2\"} 8\n# HELP b B.\n# TYPE b gauge\nb -1\n");
}

TEST(Registry, EscapesLabelsAndHelp) {
  Registry registry;
  registry.counter("c", "back\\slash\nand \"quotes\"", {{"l", "a\"b\\c\nd"}});
  EXPECT_EQ(registry.text(), "# HELP c back\\\\slash\\nand \"quotes\"\n# TYPE c counter\nc{l=\"a\\\"b\\\\c\\nd\"} 0\n");
}

TEST(Registry, HistogramBucketsAreCumulativeOverAllCells) {
  Registry registry;
  Histogram& one = registry.histogram("h_seconds", "H.", {{"event", "x"}});
  Histogram& two = registry.histogram("h_seconds", "H.", {{"event", "x"}});
  one.observe(0.0001);  // a bound belongs to its own bucket
  one.observe(0.5);
  two.observe(0.75);
  two.observe(60);
  const std::string text = registry.text();
  EXPECT_TRUE(
      text.starts_with("# HELP h_seconds H.\n# TYPE h_seconds histogram\n"
                       "h_seconds_bucket{event=\"x\",le=\"0.0001\"} 1\n"
                       "h_seconds_bucket{event=\"x\",le=\"0.00025\"} 1\n"))
      << text;
  EXPECT_TRUE(
      text.ends_with("h_seconds_bucket{event=\"x\",le=\"0.25\"} 1\n"
                     "h_seconds_bucket{event=\"x\",le=\"0.5\"} 2\n"
                     "h_seconds_bucket{event=\"x\",le=\"1\"} 3\n"
                     "h_seconds_bucket{event=\"x\",le=\"2\"} 3\n"
                     "h_seconds_bucket{event=\"x\",le=\"5\"} 3\n"
                     "h_seconds_bucket{event=\"x\",le=\"+Inf\"} 4\n"
                     "h_seconds_sum{event=\"x\"} 61.2501\n"
                     "h_seconds_count{event=\"x\"} 4\n"))
      << text;
}

TEST(Registry, GivesTheSeriesOfANameAsNumbers) {
  Registry registry;
  registry.counter("n_total", "N.", {{"reason", "b"}}).add(2);
  registry.counter("n_total", "N.", {{"reason", "a"}}).add(1);
  registry.counter("n_total", "N.", {{"reason", "b"}}).add(3);
  registry.gauge("now", "Now.").set(-4);
  Histogram& histogram = registry.histogram("h_seconds", "H.", {{"event", "x"}});
  histogram.observe(0.0001);
  histogram.observe(0.2);
  histogram.observe(60);

  const auto counts = registry.samples("n_total");
  ASSERT_EQ(counts.size(), 2U);
  EXPECT_EQ(counts[0].labels, (Labels{{"reason", "a"}}));
  EXPECT_EQ(counts[0].value, 1);
  EXPECT_EQ(counts[1].value, 5);
  EXPECT_TRUE(counts[1].buckets.empty());
  EXPECT_EQ(registry.samples("now").at(0).value, -4);
  const auto times = registry.samples("h_seconds").at(0);
  EXPECT_EQ(times.value, 3);
  EXPECT_EQ(times.buckets, (std::vector<std::uint64_t>{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1}));
  EXPECT_TRUE(registry.samples("n").empty());
}

TEST(RegistryDeathTest, OneNameHasOneType) {
  Registry registry;
  registry.counter("n", "N.");
  EXPECT_DEATH(registry.gauge("n", "N."), "one type only");
}

}  // namespace
}  // namespace carillon::telemetry
