#include "runtime/one_at_a_time.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace carillon::runtime {
namespace {

TEST(OneAtATime, TheSecondWaitsUntilTheFirstIsHandled) {
  OneAtATime<int> line;
  EXPECT_EQ(line.bring(1), 1);
  EXPECT_EQ(line.bring(2), std::nullopt);
  EXPECT_EQ(line.bring(3), std::nullopt);
  EXPECT_TRUE(line.is_one_waiting());
  EXPECT_EQ(line.next(), 2);
  EXPECT_EQ(line.next(), 3);
  EXPECT_FALSE(line.is_one_waiting());
  EXPECT_EQ(line.next(), std::nullopt);
  EXPECT_EQ(line.bring(4), 4);
}

TEST(OneAtATime, NothingIsLostOrOvertakenBetweenThreads) {
  constexpr std::uint64_t kItems = 20'000;
  OneAtATime<std::uint64_t> line;
  std::atomic<int> handling{0};
  std::atomic<std::uint64_t> expected{0};
  std::atomic<bool> is_in_order{true};
  std::atomic<std::uint64_t> handed_on{0};
  const auto handle = [&](std::uint64_t item) {
    const bool is_alone = handling.fetch_add(1) == 0;
    if (!is_alone || item != expected.fetch_add(1)) is_in_order = false;
    handling.fetch_sub(1);
  };
  // Whoever handles an item hands on what comes next to a second thread, as a write that is done does.
  std::thread other([&] {
    for (std::uint64_t done = 0; done < kItems; ++done) {
      handed_on.wait(done);
      if (const auto item = line.next()) {
        handle(*item);
        handed_on.fetch_add(1);
        handed_on.notify_one();
      }
    }
  });
  for (std::uint64_t i = 0; i < kItems; ++i) {
    if (const auto item = line.bring(i)) {
      handle(*item);
      handed_on.fetch_add(1);
      handed_on.notify_one();
    }
  }
  other.join();
  EXPECT_TRUE(is_in_order);
  EXPECT_EQ(expected, kItems);
}

}  // namespace
}  // namespace carillon::runtime
