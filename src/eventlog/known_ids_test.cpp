#include "eventlog/known_ids.hpp"

#include <gtest/gtest.h>

#include <string>

namespace carillon::eventlog {
namespace {

constexpr WallTime kNoon{std::chrono::seconds{1795348800}};

TEST(KnownIds, KnowTheFirstRecordOfAnId) {
  KnownIds ids({});
  EXPECT_FALSE(ids.find("a"));
  ids.remember("a", {.content = 1, .lane = 2, .offset = {3, 4}}, kNoon);
  ids.remember("a", {.content = 9, .lane = 9, .offset = {9, 9}}, kNoon);
  const auto known = ids.find("a");
  ASSERT_TRUE(known);
  EXPECT_EQ(known->content, 1u);
  EXPECT_EQ(known->lane, 2u);
  EXPECT_EQ(known->offset, (Offset{3, 4}));
  EXPECT_FALSE(ids.find("b"));
}

TEST(KnownIds, ForgetWhatIsOlderThanTheirAgeInLogTime) {
  KnownIds ids({.age = std::chrono::hours{1}});
  ids.remember("old", {}, kNoon);
  ids.remember("edge", {}, kNoon + std::chrono::hours{1});
  EXPECT_TRUE(ids.find("old"));
  ids.remember("late record of an early time", {}, kNoon - std::chrono::hours{5});
  EXPECT_TRUE(ids.find("old"));
  ids.remember("new", {}, kNoon + std::chrono::hours{1} + milliseconds{1});
  EXPECT_FALSE(ids.find("old"));
  EXPECT_TRUE(ids.find("edge"));
}

TEST(KnownIds, ForgetTheOldestAtTheBound) {
  KnownIds ids({.entries_max = 3});
  for (int i = 0; i < 5; ++i) ids.remember(std::to_string(i), {}, kNoon);
  EXPECT_EQ(ids.size(), 3u);
  EXPECT_FALSE(ids.find("1"));
  EXPECT_TRUE(ids.find("2"));
  EXPECT_TRUE(ids.find("4"));
}

TEST(KnownIds, TellContentsApart) {
  EXPECT_EQ(KnownIds::content_of("same"), KnownIds::content_of(std::string("same")));
  EXPECT_NE(KnownIds::content_of("same"), KnownIds::content_of("same "));
}

}  // namespace
}  // namespace carillon::eventlog
