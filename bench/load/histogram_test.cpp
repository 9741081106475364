#include "load/histogram.hpp"

#include <gtest/gtest.h>

namespace carillon::bench {
namespace {

using std::chrono::nanoseconds;

TEST(Histogram, IsExactForSmallValues) {
  Histogram histogram;
  for (int i = 1; i <= 100; ++i) histogram.record(nanoseconds(i));
  EXPECT_EQ(histogram.count(), 100U);
  EXPECT_EQ(histogram.percentile(0.5).count(), 50);
  EXPECT_EQ(histogram.percentile(0.99).count(), 99);
  EXPECT_EQ(histogram.percentile(1).count(), 100);
  EXPECT_EQ(histogram.percentile(0).count(), 1);
}

TEST(Histogram, TellsEveryValueToWithinASixtyFourth) {
  for (std::int64_t value = 1; value < (std::int64_t{1} << 60); value = value * 5 / 4 + 1) {
    Histogram histogram;
    histogram.record(nanoseconds(value));
    histogram.record(nanoseconds(std::int64_t{1} << 61));
    const auto told = histogram.percentile(0.5).count();
    EXPECT_GE(told, value);
    EXPECT_LE(told - value, value / 64);
  }
}

TEST(Histogram, TellsTheMaximumExactly) {
  Histogram histogram;
  histogram.record(nanoseconds(1'234'567));
  histogram.record(nanoseconds(-5));
  EXPECT_EQ(histogram.max().count(), 1'234'567);
  EXPECT_EQ(histogram.percentile(1).count(), 1'234'567);
  EXPECT_EQ(histogram.percentile(0.5).count(), 0);
}

TEST(Histogram, OfTwoIsThatOfAll) {
  Histogram low, high;
  low.record(nanoseconds(1));
  high.record(nanoseconds(40));
  high.record(nanoseconds(50));
  low.merge(high);
  EXPECT_EQ(low.count(), 3U);
  EXPECT_EQ(low.percentile(0.5).count(), 40);
  EXPECT_EQ(low.max().count(), 50);
}

TEST(Histogram, OfNothingIsZero) {
  EXPECT_EQ(Histogram().percentile(0.99).count(), 0);
}

}  // namespace
}  // namespace carillon::bench
