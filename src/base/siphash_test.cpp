#include "base/siphash.hpp"

#include <gtest/gtest.h>

#include <string>

namespace carillon {
namespace {

// The vectors of the reference implementation: key 00 01 .. 0f, input 00 01 .. of growing length.
constexpr HashKey kKey{0x0706050403020100, 0x0f0e0d0c0b0a0908};

std::string counting(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; i < size; ++i) text.push_back(static_cast<char>(i));
  return text;
}

TEST(SipHash, AgreesWithTheReferenceVectors) {
  EXPECT_EQ(siphash(kKey, counting(0)), 0x726fdb47dd0e0e31u);
  EXPECT_EQ(siphash(kKey, counting(1)), 0x74f839c593dc67fdu);
  EXPECT_EQ(siphash(kKey, counting(7)), 0xab0200f58b01d137u);
  EXPECT_EQ(siphash(kKey, counting(8)), 0x93f5f5799a932462u);
  EXPECT_EQ(siphash(kKey, counting(15)), 0xa129ca6149be45e5u);
  EXPECT_EQ(siphash(kKey, counting(63)), 0x958a324ceb064572u);
}

TEST(SipHash, DependsOnTheKey) {
  EXPECT_NE(siphash({1, 0}, "order-1"), siphash({2, 0}, "order-1"));
  EXPECT_NE(siphash({0, 1}, "order-1"), siphash({0, 2}, "order-1"));
}

}  // namespace
}  // namespace carillon
