#include "base/base64url.hpp"

#include <gtest/gtest.h>

namespace carillon {
namespace {

std::string encode(std::string_view bytes) {
  std::string text;
  append_base64url(text, bytes);
  return text;
}

TEST(Base64url, WritesTheVectorsOfRfc4648) {
  EXPECT_EQ(encode(""), "");
  EXPECT_EQ(encode("f"), "Zg");
  EXPECT_EQ(encode("fo"), "Zm8");
  EXPECT_EQ(encode("foo"), "Zm9v");
  EXPECT_EQ(encode("foob"), "Zm9vYg");
  EXPECT_EQ(encode("fooba"), "Zm9vYmE");
  EXPECT_EQ(encode("foobar"), "Zm9vYmFy");
  EXPECT_EQ(encode("\xFB\xFF\xBF"), "-_-_");
}

TEST(Base64url, ReadsBackEveryByteAtEveryPlace) {
  for (int byte = 0; byte < 256; ++byte)
    for (std::size_t before = 0; before < 3; ++before) {
      const std::string bytes = std::string(before, 'x') + static_cast<char>(byte);
      EXPECT_EQ(decode_base64url(encode(bytes)), bytes);
    }
}

TEST(Base64url, AppendsToWhatIsThere) {
  std::string text = "a.";
  append_base64url(text, "foo");
  EXPECT_EQ(text, "a.Zm9v");
}

TEST(Base64url, RefusesOtherCharacters) {
  for (const char* text : {"Zm9+", "Zm9/", "Zm8=", "Zg==", "Zm 9v", "Zm9v\n", " Zm9v", "Zm9v.", "Zm\xC3\xA9", "Zm9?"})
    EXPECT_FALSE(decode_base64url(text)) << text;
  EXPECT_FALSE(decode_base64url(std::string_view("Zm9v\0Zm9", 8)));
}

TEST(Base64url, RefusesALengthThatNoBytesHave) {
  EXPECT_FALSE(decode_base64url("Z"));
  EXPECT_FALSE(decode_base64url("Zm9vY"));
}

// RFC 4648 3.5: two texts for the same bytes would let a token change without its signature changing.
TEST(Base64url, RefusesLeftOverBits) {
  EXPECT_TRUE(decode_base64url("Zg"));
  for (const char* text : {"Zh", "Zv", "Zm9", "Zm-", "AB", "AAB"}) EXPECT_FALSE(decode_base64url(text)) << text;
}

}  // namespace
}  // namespace carillon
