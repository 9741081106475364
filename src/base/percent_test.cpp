#include "base/percent.hpp"

#include <gtest/gtest.h>

namespace carillon {
namespace {

using namespace std::string_literals;

TEST(Percent, StandsForAnyByte) {
  EXPECT_EQ(percent_decoded(""), "");
  EXPECT_EQ(percent_decoded("a+b/c"), "a+b/c");
  EXPECT_EQ(percent_decoded("%2F%2f%25%41"), "//%A");
  EXPECT_EQ(percent_decoded("%00%ff"), "\0\xff"s);
}

TEST(Percent, NeedsTwoDigits) {
  for (const char* text : {"%", "%4", "a%", "%zz", "%4z", "%-1", "%+1", "%%41"})
    EXPECT_FALSE(percent_decoded(text)) << text;
}

}  // namespace
}  // namespace carillon
