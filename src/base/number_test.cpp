#include "base/number.hpp"

#include <gtest/gtest.h>

#include <cstdint>

namespace carillon {
namespace {

TEST(Number, IsAllOfTheText) {
  EXPECT_EQ(parse_number<std::uint16_t>("0"), 0);
  EXPECT_EQ(parse_number<std::uint16_t>("65535"), 65535);
  EXPECT_EQ(parse_number<std::uint16_t>("007"), 7);
  EXPECT_EQ(parse_number<std::int64_t>("-12"), -12);
  EXPECT_EQ(parse_number<std::uint32_t>("1a2B", 16), 0x1a2bU);
}

TEST(Number, IsNothingElse) {
  for (const char* text : {"", "-", "-1", "+1", " 1", "1 ", "1.0", "1e3", "0x1", "1a", "65536", "99999999999999999999"})
    EXPECT_FALSE(parse_number<std::uint16_t>(text)) << text;
}

}  // namespace
}  // namespace carillon
