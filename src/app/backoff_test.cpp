#include "app/backoff.hpp"

#include <gtest/gtest.h>

namespace carillon::app {
namespace {

milliseconds longest(int failures) {
  milliseconds longest{0};
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    Backoff backoff(seed);
    for (int i = 1; i < failures; ++i) (void)backoff.next();
    longest = std::max(longest, backoff.next());
  }
  return longest;
}

TEST(Backoff, IsSpreadBelowABoundThatDoublesUpToTheMost) {
  for (const auto& [failures, bound] :
       {std::pair{1, 500}, {2, 1000}, {3, 2000}, {6, 16'000}, {7, 20'000}, {20, 20'000}}) {
    EXPECT_LE(longest(failures).count(), bound);
    EXPECT_GT(longest(failures).count(), bound * 9 / 10);
  }
}

TEST(Backoff, IsShortAgainAfterASuccess) {
  Backoff backoff(1);
  for (int i = 0; i < 10; ++i) (void)backoff.next();
  backoff.reset();
  EXPECT_LE(backoff.next(), Backoff::kFirst);
}

}  // namespace
}  // namespace carillon::app
