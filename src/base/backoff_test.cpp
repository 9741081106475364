#include "base/backoff.hpp"

#include <gtest/gtest.h>

namespace carillon {
namespace {

struct Spread {
  milliseconds shortest = milliseconds::max(), longest{0};
};

Spread spread(const Backoff::Options& options, int failures) {
  Spread spread;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    Backoff backoff(options, seed);
    for (int i = 1; i < failures; ++i) (void)backoff.next();
    const milliseconds wait = backoff.next();
    spread = {std::min(spread.shortest, wait), std::max(spread.longest, wait)};
  }
  return spread;
}

TEST(Backoff, IsSpreadBelowABoundThatDoublesUpToTheMost) {
  for (const auto& [failures, bound] :
       {std::pair{1, 500}, {2, 1000}, {3, 2000}, {6, 16'000}, {7, 20'000}, {20, 20'000}}) {
    const auto [shortest, longest] = spread({}, failures);
    EXPECT_LE(longest.count(), bound);
    EXPECT_GT(longest.count(), bound * 9 / 10);
    EXPECT_LT(shortest.count(), bound / 10);
  }
}

TEST(Backoff, IsNotShorterThanHalfTheBoundWhereThatIsWanted) {
  const Backoff::Options options{.first = milliseconds{100}, .most = milliseconds{5000}, .at_least_half = true};
  for (const auto& [failures, bound] : {std::pair{1, 100}, {6, 3200}, {7, 5000}}) {
    const auto [shortest, longest] = spread(options, failures);
    EXPECT_GE(shortest.count(), bound / 2);
    EXPECT_LT(shortest.count(), bound * 6 / 10);
    EXPECT_LE(longest.count(), bound);
    EXPECT_GT(longest.count(), bound * 9 / 10);
  }
}

TEST(Backoff, IsShortAgainAfterASuccess) {
  Backoff backoff({}, 1);
  for (int i = 0; i < 10; ++i) (void)backoff.next();
  backoff.reset();
  EXPECT_LE(backoff.next(), Backoff::Options{}.first);
}

}  // namespace
}  // namespace carillon
