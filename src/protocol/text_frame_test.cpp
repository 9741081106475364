#include "protocol/text_frame.hpp"

#include <gtest/gtest.h>

#include <string>

namespace carillon::protocol {
namespace {

using namespace std::string_literals;

// `{"id":"k1.2"` is 12 bytes, behind a header of 2.
const std::string kSmall = "\x81\x1A{\"id\":\"k1.2\",\"payload\":{}}"s;
constexpr std::size_t kSmallAt = 14;

TEST(TextFrame, TakesAMember) {
  std::string out = "before";
  append_with_member(out, kSmall, kSmallAt, ",\"late\":true");
  EXPECT_EQ(out, "before\x81\x26{\"id\":\"k1.2\",\"late\":true,\"payload\":{}}"s);
}

TEST(TextFrame, TakesAnotherId) {
  std::string out = "before";
  append_with_id(out, kSmall, kSmallAt, "k1.2", "k1.2.17", "");
  EXPECT_EQ(out, "before\x81\x1D{\"id\":\"k1.2.17\",\"payload\":{}}"s);
}

TEST(TextFrame, TakesAShorterIdAndAMember) {
  std::string out;
  append_with_id(out, kSmall, kSmallAt, "k1.2", "k", ",\"replayed\":true");
  EXPECT_EQ(out, "\x81\x27{\"id\":\"k\",\"replayed\":true,\"payload\":{}}"s);
}

// The header grows and shrinks with what comes behind it.
TEST(TextFrame, HasTheHeaderOfItsNewSize) {
  const std::string pad(99, 'x');
  const std::string small = "\x81\x7D{\"id\":\"k1.2\",\"payload\":{" + pad + "}}";
  const std::string larger = "\x81\x7E\x00\x7E{\"id\":\"k1.23\",\"payload\":{"s + pad + "}}";
  std::string out;
  append_with_id(out, small, kSmallAt, "k1.2", "k1.23", "");
  EXPECT_EQ(out, larger);
  out.clear();
  append_with_id(out, larger, 17, "k1.23", "k1.2", "");
  EXPECT_EQ(out, small);

  const std::string huge(65'535 - 26, 'x');
  const std::string large = "\x81\x7E\xFF\xFF{\"id\":\"k1.2\",\"payload\":{" + huge + "}}";
  out.clear();
  append_with_id(out, large, 16, "k1.2", "k1.23", "");
  EXPECT_EQ(out, "\x81\x7F\x00\x00\x00\x00\x00\x01\x00\x00{\"id\":\"k1.23\",\"payload\":{"s + huge + "}}");
}

// Only what stands right before the mark is the id, whatever else looks like it.
TEST(TextFrame, ChangesTheIdAndNothingElse) {
  std::string frame, out, expected;
  append_text_frame(frame, R"({"event":"k1.2","id":"k1.2","payload":{"id":"k1.2"}})");
  append_text_frame(expected, R"({"event":"k1.2","id":"k1.2.9","payload":{"id":"k1.2"}})");
  append_with_id(out, frame, frame.find(",\"payload\""), "k1.2", "k1.2.9", "");
  EXPECT_EQ(out, expected);
}

TEST(TextFrameDeathTest, NoIdIsTakenForOne) {
  std::string out;
  EXPECT_DEATH(append_with_id(out, kSmall, kSmallAt, "k1.3", "k1.4", ""), "id stands before its mark");
  EXPECT_DEATH(append_with_id(out, kSmall, 3, "a longer one", "k1.4", ""), "id stands before its mark");
}

}  // namespace
}  // namespace carillon::protocol
