#include "eventlog/log_positions.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace carillon::eventlog {
namespace {

constexpr Ordinal kMax = std::numeric_limits<Ordinal>::max();

TEST(LogPositions, NameTheKindTheEpochAndTheNumber) {
  EXPECT_EQ(LogPositions('j', 0x1a2b3c4d).of(42).text, "j1a2b3c4d.42");
  EXPECT_EQ(LogPositions('m', 0).of(0).text, "m0.0");
  EXPECT_EQ(LogPositions('j', 0xffffffff).of(kMax).text, "jffffffff.18446744073709551615");
}

TEST(LogPositions, AreReadAsTheyWereGivenOut) {
  for (const std::uint32_t epoch : {0x0U, 0x7U, 0x1a2b3c4dU, 0xffffffffU}) {
    const LogPositions positions('j', epoch);
    for (const Ordinal number : {Ordinal{0}, Ordinal{1}, Ordinal{42}, kMax}) {
      EXPECT_EQ(positions.locate(positions.of(number).text), Place(Offset{number}));
      EXPECT_EQ(positions.number(positions.of(number).text), number);
    }
  }
}

TEST(LogPositions, NameEveryLane) {
  const LogPositions positions('k', 0xab);
  const Place place({{7}, {0}, {9, 3}});
  EXPECT_EQ(positions.of(place).text, "kab.7.0.9-3");
  EXPECT_EQ(positions.locate("kab.7.0.9-3"), place);
}

TEST(LogPositions, AreNumbersOnlyInOneLane) {
  const LogPositions positions('j', 0xab);
  EXPECT_EQ(positions.number("jab.42"), 42u);
  EXPECT_EQ(positions.number("jac.42"), std::unexpected(GapReason::epoch));
  for (const char* text : {"jab.42.0", "jab.42.7", "jab.42-1", "jab.x"}) {
    EXPECT_EQ(positions.number(text), std::unexpected(GapReason::unknown)) << text;
  }
}

TEST(LogPositions, OfAnotherLogOfTheKindHaveAnotherEpoch) {
  const LogPositions positions('j', 0xab);
  for (const char* other : {"jac.1", "jabc.1", "ja.1", "j0.1", "jffffffff.18446744073709551615"}) {
    EXPECT_EQ(positions.locate(other), std::unexpected(GapReason::epoch)) << other;
  }
}

TEST(LogPositions, ThatAreNotExactlyOneAreUnknown) {
  const LogPositions positions('j', 0xab);
  const std::string texts[] = {"",
                               "j",
                               "jab",
                               "jab.",
                               ".1",
                               "j.1",
                               "ab.1",
                               "Jab.1",
                               "jAB.1",
                               "j0ab.1",
                               "jab.01",
                               "jab.00",
                               "jab.+1",
                               "jab.-1",
                               "jab.-0",
                               "jab. 1",
                               " jab.1",
                               "jab.1 ",
                               "jab.1.",
                               "jab.1.01",
                               "jab.1-0",
                               "jab..1",
                               "jab.0x1",
                               "jab.1a",
                               "jab.1e1",
                               "j-ab.1",
                               "j+ab.1",
                               "j0xab.1",
                               "jab,1",
                               "mab.1",
                               "m1.7",
                               "jxyz.1",
                               "j1ffffffff.1",
                               "jac.18446744073709551616",
                               "jab.18446744073709551616",
                               "jab.99999999999999999999",
                               std::string("jab.1\0", 6),
                               std::string("jab\0.1", 6),
                               "jab." + std::string(10'240, '1'),
                               "jab.1" + std::string(10'240, ' '),
                               "j" + std::string(10'240, 'a') + ".1",
                               std::string(10'240, '.'),
                               "1700000000000-0"};
  for (const std::string& text : texts) {
    EXPECT_EQ(positions.locate(text), std::unexpected(GapReason::unknown)) << text.substr(0, 60);
  }
}

}  // namespace
}  // namespace carillon::eventlog
