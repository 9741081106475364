#include "config/unit.hpp"

#include <gtest/gtest.h>

namespace carillon::config {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(Unit, ReadsDurations) {
  EXPECT_EQ(parse_duration("250ms"), milliseconds{250});
  EXPECT_EQ(parse_duration("20s"), seconds{20});
  EXPECT_EQ(parse_duration("10m"), minutes{10});
  EXPECT_EQ(parse_duration("24h"), hours{24});
  EXPECT_EQ(parse_duration("0"), milliseconds{0});
  EXPECT_EQ(parse_duration("0s"), milliseconds{0});
}

TEST(Unit, ReadsSizes) {
  EXPECT_EQ(parse_size("512B"), 512U);
  EXPECT_EQ(parse_size("16KiB"), 16U * 1024);
  EXPECT_EQ(parse_size("1MiB"), 1U << 20U);
  EXPECT_EQ(parse_size("1GiB"), 1U << 30U);
  EXPECT_EQ(parse_size("2TiB"), 2ULL << 40U);
  EXPECT_EQ(parse_size("0"), 0U);
}

TEST(Unit, RefusesEverythingElse) {
  for (const char* text : {"", "s", "20", "20 s", " 20s", "20s ", "-20s", "+20s", "1.5s", "20S", "20sec", "1d", "0x10s",
                           "1e3s", "20s20s", "99999999999999999999ms", "9223372036854775807h"})
    EXPECT_FALSE(parse_duration(text)) << text;
  for (const char* text : {"", "16", "16K", "16KB", "16kib", "16 KiB", "-1B", "1.5MiB", "9223372036854775807KiB"})
    EXPECT_FALSE(parse_size(text)) << text;
}

TEST(Unit, WritesTheLargestUnitThatLeavesAWholeNumber) {
  EXPECT_EQ(format_duration(seconds{90}), "90s");
  EXPECT_EQ(format_duration(minutes{10}), "10m");
  EXPECT_EQ(format_duration(milliseconds{1001}), "1001ms");
  EXPECT_EQ(format_duration(milliseconds{0}), "0");
  EXPECT_EQ(format_size(16U * 1024), "16KiB");
  EXPECT_EQ(format_size(1025), "1025B");
}

}  // namespace
}  // namespace carillon::config
