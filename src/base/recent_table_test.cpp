#include "base/recent_table.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <deque>
#include <map>
#include <random>
#include <string>

namespace carillon {
namespace {

TEST(Fingerprint, IsTheSameForTheSameText) {
  EXPECT_EQ(fingerprint_of("an id"), fingerprint_of(std::string("an id")));
  EXPECT_NE(fingerprint_of("an id"), fingerprint_of("an ie"));
  EXPECT_NE(fingerprint_of("").high, fingerprint_of("").low);
}

TEST(RecentTable, FindsWhatWasInsertedUntilItIsTheOldest) {
  RecentTable<int> table;
  EXPECT_EQ(table.find(fingerprint_of("a")), nullptr);
  table.insert(fingerprint_of("a"), 1);
  table.insert(fingerprint_of("b"), 2);
  ASSERT_NE(table.find(fingerprint_of("b")), nullptr);
  EXPECT_EQ(*table.find(fingerprint_of("b")), 2);
  EXPECT_EQ(table.oldest(), 1);
  table.pop_oldest();
  EXPECT_EQ(table.find(fingerprint_of("a")), nullptr);
  EXPECT_EQ(table.oldest(), 2);
  table.pop_oldest();
  EXPECT_EQ(table.size(), 0u);
  EXPECT_EQ(table.find(fingerprint_of("b")), nullptr);
}

// Against a map, with names that crowd into few homes and wrap around, while it grows and empties many times.
TEST(RecentTable, HoldsWhatAMapHolds) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    std::mt19937_64 random(seed);
    const auto crowded = [&] {
      return Fingerprint{random() % 50, (random() % 7) * 0x40 + 0xFFFF'FFF8U + random() % 16};
    };
    RecentTable<std::uint64_t> table;
    std::map<std::pair<std::uint64_t, std::uint64_t>, std::uint64_t> map;
    std::deque<Fingerprint> order;
    for (std::uint64_t step = 0; step < 4000; ++step) {
      const Fingerprint key = crowded();
      const auto known = map.find({key.high, key.low});
      const std::uint64_t* const found = table.find(key);
      ASSERT_EQ(found != nullptr, known != map.end()) << "seed " << seed << " step " << step;
      if (found != nullptr) {
        ASSERT_EQ(*found, known->second);
      } else if (random() % 1000 < (step / 500 % 2 == 0 ? 800 : 100)) {
        table.insert(key, step);
        map[{key.high, key.low}] = step;
        order.push_back(key);
      }
      if (!order.empty() && random() % 1000 < 300) {
        ASSERT_EQ(table.oldest(), (map[{order.front().high, order.front().low}]));
        map.erase({order.front().high, order.front().low});
        order.pop_front();
        table.pop_oldest();
      }
      ASSERT_EQ(table.size(), map.size());
    }
  }
}

}  // namespace
}  // namespace carillon
