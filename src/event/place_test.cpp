#include "event/place.hpp"

#include <gtest/gtest.h>

#include <string>

namespace carillon {
namespace {

TEST(Place, CoversWhatItHasPassedInEveryLane) {
  const Place place({{5, 0}, {0, 0}, {7, 2}});
  EXPECT_TRUE(place.covers(0, {5, 0}));
  EXPECT_FALSE(place.covers(0, {5, 1}));
  EXPECT_FALSE(place.covers(1, {1, 0}));
  EXPECT_TRUE(place.covers(2, {7, 1}));
  EXPECT_FALSE(place.covers(3, {0, 1}));
  EXPECT_TRUE(place.covers(Place({{5, 0}})));
  EXPECT_TRUE(place.covers(Place()));
  EXPECT_FALSE(Place({{9, 0}}).covers(place));
}

TEST(Place, GrowsLaneByLane) {
  Place place(Offset{3, 0});
  place.pass(2, {1, 0});
  place.pass(0, {2, 0});
  EXPECT_EQ(text_of(place), "3.0.1");
  place.pass(Place({{1, 0}, {4, 0}}));
  EXPECT_EQ(text_of(place), "3.4.1");
}

TEST(Place, IsEqualToItselfWithMoreLanesInWhichNothingHasPassed) {
  EXPECT_EQ(Place(Offset{3, 0}), Place({{3, 0}, {}}));
  EXPECT_EQ(Place(), Place(Offset{}));
  EXPECT_NE(Place(Offset{3, 0}), Place({{3, 0}, {0, 1}}));
}

TEST(Place, HasOneText) {
  for (const std::string text :
       {"0", "42", "1700000000000-5", "1.2.3", "0.0-1", "18446744073709551615-18446744073709551615"}) {
    const auto place = parse_place(text);
    ASSERT_TRUE(place) << text;
    EXPECT_EQ(text_of(*place), text);
  }
  EXPECT_EQ(text_of(Place()), "0");
}

TEST(Place, RefusesEveryOtherText) {
  std::string lanes = "1";
  for (std::size_t i = 1; i < kLanesMax; ++i) lanes += ".1";
  EXPECT_TRUE(parse_place(lanes));
  for (const std::string& text :
       {std::string(), std::string("."), std::string("1."), std::string(".1"), std::string("01"), std::string("1-0"),
        std::string("1-"), std::string("-1"), std::string("+1"), std::string(" 1"), std::string("1 "),
        std::string("1-01"), std::string("1-1-1"), std::string("1..1"), std::string("18446744073709551616"),
        std::string("1\0", 2), lanes + ".1"}) {
    EXPECT_FALSE(parse_place(text)) << text;
  }
}

TEST(Place, BelongsToTheLogOfAPosition) {
  const Position position{"k1a2b.3.4-5"};
  EXPECT_EQ(place_of(position), Place({{3, 0}, {4, 5}}));
  EXPECT_EQ(position_like(position, Place(Offset{9, 0})).text, "k1a2b.9");
}

}  // namespace
}  // namespace carillon
