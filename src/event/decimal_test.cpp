#include "event/decimal.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>

namespace carillon {
namespace {

Decimal decimal(std::string_view text) {
  auto parsed = Decimal::parse(text);
  EXPECT_TRUE(parsed) << text;
  return parsed.value_or(Decimal{});
}

TEST(Decimal, KeepsItsText) {
  for (const char* text : {"0", "-0", "0.10", "-0.0", "1E5", "1e+05", "1e-08", "1.50", "64000.10", "9007199254740993",
                           "1234567890123456789012345678901234567890", "1e30", "1e-30", "1E+0000000000000000000000030"})
    EXPECT_EQ(decimal(text).text(), text);
}

TEST(Decimal, RefusesWhatIsNoJsonNumber) {
  for (const char* text :
       {"",      "-",   "+1", "01", "-01", "00",  ".5",  "5.",       "1.e5", "e5", "1e",    "1e+",   "1e-",
        "1e5.0", "0x1", " 1", "1 ", "1,0", "1_0", "NaN", "Infinity", "--1",  "1-", "1e5e5", "1.2.3", "\xD9\xA1"})
    EXPECT_FALSE(Decimal::parse(text)) << text;
  EXPECT_FALSE(Decimal::parse(std::string_view("1\0", 2)));
}

TEST(Decimal, BoundsLengthAndExponent) {
  EXPECT_TRUE(Decimal::parse(std::string(40, '9')));
  EXPECT_FALSE(Decimal::parse(std::string(41, '9')));
  EXPECT_FALSE(Decimal::parse("-" + std::string(40, '9')));
  EXPECT_FALSE(Decimal::parse("1e31"));
  EXPECT_FALSE(Decimal::parse("1e-31"));
  EXPECT_FALSE(Decimal::parse("0e31"));
  EXPECT_FALSE(Decimal::parse("1e99999999999999999999999999999999999999"));
}

TEST(Decimal, IsEqualByValue) {
  for (const auto& [a, b] : {std::pair{"0.10", "0.1"},
                             {"0.1", "1e-1"},
                             {"100", "1E+2"},
                             {"1.50", "15e-1"},
                             {"0", "-0"},
                             {"0.000", "-0e30"},
                             {"0e-30", "0"},
                             {"1e30", "1000000000000000000000000000000"},
                             {"0.00000001", "1e-08"},
                             {"-12.340", "-1234e-2"},
                             {"10e-30", "0.1e-28"}}) {
    EXPECT_EQ(decimal(a), decimal(b)) << a << ' ' << b;
    EXPECT_FALSE(decimal(a) < decimal(b)) << a << ' ' << b;
  }
}

TEST(Decimal, OrdersWhereDoublesCannot) {
  EXPECT_LT(decimal("9007199254740992"), decimal("9007199254740993"));
  EXPECT_LT(decimal("0.1"), decimal("0.10000000000000000000000000000000000001"));
  EXPECT_LT(decimal("1e-30"), decimal("1.0000000000000000000000000000000001e-30"));
  EXPECT_GT(decimal("0.30000000000000004"), decimal("0.3"));
}

TEST(Decimal, OrdersFromTheMostNegativeToTheGreatest) {
  const char* const ascending[] = {
      "-9999999999e30", "-1e30", "-20", "-3", "-2.5", "-1",  "-0.9", "-1e-30", "0", "1e-30", "0.09", "0.1", "0.9", "1",
      "1.0001",         "2",     "10",  "11", "99",   "100", "1e30", "1234e30"};
  const auto count = std::size(ascending);
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t j = 0; j < count; ++j)
      EXPECT_EQ(decimal(ascending[i]) <=> decimal(ascending[j]), i <=> j) << ascending[i] << ' ' << ascending[j];
}

TEST(Decimal, KnowsSignAndZero) {
  for (const char* text : {"0", "-0", "0.0", "-0.000", "0e5", "-0.0e-9"}) {
    EXPECT_TRUE(decimal(text).is_zero()) << text;
    EXPECT_FALSE(decimal(text).is_negative()) << text;
  }
  EXPECT_TRUE(decimal("-1e-30").is_negative());
  EXPECT_FALSE(decimal("-1e-30").is_zero());
  EXPECT_FALSE(decimal("0.000001").is_negative());
  EXPECT_FALSE(decimal("0.000001").is_zero());
  EXPECT_TRUE(Decimal{}.is_zero());
}

// Two integers written with a random point, exponent and padding compare as the integers do.
TEST(Decimal, AgreesWithIntegersHoweverTheyAreWritten) {
  std::mt19937 random(20261122);
  const auto pick = [&random](int low, int high) { return std::uniform_int_distribution<int>(low, high)(random); };
  const auto write = [&](std::int64_t value) {
    std::string digits = std::to_string(value < 0 ? -value : value);
    const int shift = pick(0, 8);  // value == digits * 10^-shift * 10^shift
    while (static_cast<int>(digits.size()) <= shift) digits.insert(0, "0");
    if (shift > 0) digits.insert(digits.size() - static_cast<std::size_t>(shift), ".");
    if (shift > 0 && pick(0, 1) == 1) digits.append(static_cast<std::size_t>(pick(0, 5)), '0');
    return (value < 0 ? "-" : "") + digits + (shift > 0 ? "e" + std::to_string(shift) : "");
  };
  for (int round = 0; round < 20'000; ++round) {
    const std::int64_t a = pick(-1'000'000, 1'000'000);
    const std::int64_t b = pick(0, 3) == 0 ? a : pick(-1'000'000, 1'000'000);
    const std::string left = write(a);
    const std::string right = write(b);
    ASSERT_EQ(decimal(left) <=> decimal(right), a <=> b) << left << ' ' << right;
  }
}

}  // namespace
}  // namespace carillon
