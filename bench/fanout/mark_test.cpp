#include "fanout/mark.hpp"

#include <gtest/gtest.h>

#include "fanout/message.hpp"

namespace carillon::bench {
namespace {

TEST(Mark, IsFoundInItsMessage) {
  const Mark mark("12ab34cd");
  for (const std::uint64_t number : {std::uint64_t{0}, std::uint64_t{7}, std::uint64_t{1'234'567'890}})
    EXPECT_EQ(mark.number_in(make_message(mark, number)), number);
}

TEST(Mark, IsNotThatOfAnotherRun) {
  const std::string message = make_message(Mark("12ab34cd"), 7);
  EXPECT_EQ(Mark("12ab34ce").number_in(message), std::nullopt);
  EXPECT_EQ(Mark("12ab34cd").number_in(message.substr(0, message.size() - 1)), std::nullopt);
  EXPECT_EQ(Mark("12ab34cd").number_in(R"("}})"), std::nullopt);
  EXPECT_EQ(Mark("12ab34cd").number_in(R"("bench":"12ab34cd-00000x0007"}})"), std::nullopt);
}

TEST(Message, IsAlwaysAsLarge) {
  const Mark mark("12ab34cd");
  for (const std::uint64_t number : {std::uint64_t{0}, std::uint64_t{7}, std::uint64_t{1'234'567'890}})
    EXPECT_EQ(make_message(mark, number).size(), kMessageBytes);
  EXPECT_EQ(make_alert(mark, 7, R"("id":"7")", 200).size(), 200U);
}

}  // namespace
}  // namespace carillon::bench
