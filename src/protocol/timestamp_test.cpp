#include "protocol/timestamp.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace carillon::protocol {
namespace {

// What `text` is, written our way; "" when it is refused.
std::string normal(std::string_view text) {
  const auto time = parse_timestamp(text);
  return time ? format_timestamp(*time) : "";
}

TEST(Timestamp, IsWrittenInUtcWithMilliseconds) {
  EXPECT_EQ(format_timestamp(WallTime{milliseconds{0}}), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(format_timestamp(WallTime{milliseconds{1795348800123}}), "2026-11-22T12:00:00.123Z");
  EXPECT_EQ(format_timestamp(WallTime{milliseconds{-1}}), "1969-12-31T23:59:59.999Z");
  std::string out = "at ";
  append_timestamp(out, ManualClock{}.wall_now());
  EXPECT_EQ(out, "at 2026-11-22T12:00:00.000Z");
}

TEST(Timestamp, OutsideFourDigitYearsIsTheNearestMomentInside) {
  EXPECT_EQ(format_timestamp(WallTime::max()), "9999-12-31T23:59:59.999Z");
  EXPECT_EQ(format_timestamp(WallTime::min()), "0000-01-01T00:00:00.000Z");
}

TEST(Timestamp, IsReadAndNormalised) {
  EXPECT_EQ(normal("2026-11-22T12:00:00.123Z"), "2026-11-22T12:00:00.123Z");
  EXPECT_EQ(normal("2026-11-22t12:00:00z"), "2026-11-22T12:00:00.000Z");
  EXPECT_EQ(normal("2026-11-22T12:00:00+00:00"), "2026-11-22T12:00:00.000Z");
  EXPECT_EQ(normal("2026-11-22T12:00:00-00:00"), "2026-11-22T12:00:00.000Z");
  EXPECT_EQ(normal("2026-11-22T12:00:00.5+05:30"), "2026-11-22T06:30:00.500Z");
  EXPECT_EQ(normal("2026-12-31T23:30:00-01:00"), "2027-01-01T00:30:00.000Z");
  EXPECT_EQ(normal("2024-03-01T00:00:00+23:59"), "2024-02-29T00:01:00.000Z");
}

TEST(Timestamp, CutsOffWhatIsFinerThanMilliseconds) {
  EXPECT_EQ(normal("2026-11-22T12:00:00.1Z"), "2026-11-22T12:00:00.100Z");
  EXPECT_EQ(normal("2026-11-22T12:00:00.12Z"), "2026-11-22T12:00:00.120Z");
  EXPECT_EQ(normal("2026-11-22T12:00:00.123999999Z"), "2026-11-22T12:00:00.123Z");
  EXPECT_EQ(normal("2026-11-22T12:00:00." + std::string(1000, '9') + "Z"), "2026-11-22T12:00:00.999Z");
  EXPECT_EQ(normal("1969-12-31T23:59:59.9999Z"), "1969-12-31T23:59:59.999Z");
}

TEST(Timestamp, KnowsWhichDaysExist) {
  EXPECT_NE(normal("2024-02-29T00:00:00Z"), "");
  EXPECT_NE(normal("2000-02-29T00:00:00Z"), "");
  EXPECT_NE(normal("0000-02-29T00:00:00Z"), "");
  for (const char* text :
       {"2023-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-00-01T00:00:00Z",
        "2026-13-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-32T00:00:00Z"})
    EXPECT_EQ(normal(text), "") << text;
}

TEST(Timestamp, TakesALeapSecondAsTheNextOne) {
  EXPECT_EQ(normal("2016-12-31T23:59:60Z"), "2017-01-01T00:00:00.000Z");
  EXPECT_EQ(normal("2016-12-31T23:59:60.75Z"), "2017-01-01T00:00:00.750Z");
  EXPECT_EQ(normal("1990-12-31T15:59:60-08:00"), "1991-01-01T00:00:00.000Z");
  for (const char* text : {"2016-12-31T23:58:60Z", "2016-12-30T23:59:60Z", "2016-12-31T23:59:60+01:00",
                           "2016-12-31T23:59:61Z", "2026-11-22T12:00:60Z"})
    EXPECT_EQ(normal(text), "") << text;
}

TEST(Timestamp, StaysWithinFourDigitYears) {
  EXPECT_EQ(normal("0000-01-01T00:00:00Z"), "0000-01-01T00:00:00.000Z");
  EXPECT_EQ(normal("9999-12-31T23:59:59.999Z"), "9999-12-31T23:59:59.999Z");
  EXPECT_EQ(normal("0000-01-01T00:00:00+00:01"), "");
  EXPECT_EQ(normal("9999-12-31T23:59:59-00:01"), "");
  EXPECT_EQ(normal("9999-12-31T23:59:60Z"), "");
}

TEST(Timestamp, RefusesEveryOtherForm) {
  for (const char* text : {"",
                           "2026",
                           "2026-11-22",
                           "2026-11-22T12:00:00",
                           "2026-11-22 12:00:00Z",
                           "2026-11-22T12:00Z",
                           "2026-11-22T24:00:00Z",
                           "2026-11-22T12:60:00Z",
                           "2026-11-22T12:00:00.Z",
                           "2026-11-22T12:00:00,5Z",
                           "2026-11-22T12:00:00ZZ",
                           "2026-11-22T12:00:00Z ",
                           " 2026-11-22T12:00:00Z",
                           "2026-11-22T12:00:00+0100",
                           "2026-11-22T12:00:00+01",
                           "2026-11-22T12:00:00+24:00",
                           "2026-11-22T12:00:00+01:60",
                           "2026-11-22T12:00:00 +01:00",
                           "26-11-22T12:00:00Z",
                           "+2026-11-22T12:00:00Z",
                           "-2026-11-22T12:00:00Z",
                           "12026-11-22T12:00:00Z",
                           "2026-1-22T12:00:00Z",
                           "2026-11-2aT12:00:00Z",
                           "20261122T120000Z",
                           "2026-W47-7T12:00:00Z",
                           "2026-11-22T12:00:00−01:00",  // a minus sign that is no hyphen
                           "1795348800",
                           "2026-11-22T-1:00:00Z",
                           "2026-11-22T12:00:00.1.2Z"})
    EXPECT_EQ(normal(text), "") << text;
  EXPECT_EQ(normal(std::string_view("2026-11-22T12:00:00Z\0", 21)), "");
}

TEST(Timestamp, EveryPrefixIsRefused) {
  const std::string_view text = "2026-11-22T12:00:00.123+01:00";
  for (std::size_t size = 0; size < text.size(); ++size) EXPECT_EQ(normal(text.substr(0, size)), "") << size;
}

TEST(Timestamp, ReadsWhatItWrites) {
  const milliseconds step{86'400'000LL * 37 + 3'723'457};
  const WallTime last{milliseconds{253'402'300'799'999}};
  for (WallTime time{milliseconds{-62'167'219'200'000}}; time <= last; time += step) {
    const std::string text = format_timestamp(time);
    ASSERT_EQ(text.size(), 24U);
    ASSERT_EQ(parse_timestamp(text), time) << text;
  }
}

}  // namespace
}  // namespace carillon::protocol
