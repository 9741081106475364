#include "base/utf8.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

namespace carillon {
namespace {

// The index of the byte at which `bytes` is refused, fed one by one; -1 when none is.
int refused_at(std::string_view bytes) {
  Utf8Validator validator;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    if (!validator.feed(bytes.substr(i, 1))) return static_cast<int>(i);
  return -1;
}

std::string encode(char32_t c) {
  const auto byte = [](char32_t value) { return static_cast<char>(static_cast<std::uint8_t>(value)); };
  if (c < 0x80) return {byte(c)};
  if (c < 0x800) return {byte(0xC0 | c >> 6), byte(0x80 | (c & 63))};
  if (c < 0x10000) return {byte(0xE0 | c >> 12), byte(0x80 | (c >> 6 & 63)), byte(0x80 | (c & 63))};
  return {byte(0xF0 | c >> 18), byte(0x80 | (c >> 12 & 63)), byte(0x80 | (c >> 6 & 63)), byte(0x80 | (c & 63))};
}

TEST(Utf8, AcceptsEveryScalarValueAndNoSurrogate) {
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    const bool surrogate = c >= 0xD800 && c <= 0xDFFF;
    ASSERT_EQ(is_utf8(encode(c)), !surrogate) << std::hex << static_cast<std::uint32_t>(c);
  }
  EXPECT_FALSE(is_utf8(encode(0x110000)));
}

// RFC 3629 section 4 as a table: for each lead byte, how many bytes follow and what the second may be.
TEST(Utf8, RefusesEveryPairOfBytesAtTheEarliestOne) {
  for (int lead = 0x80; lead <= 0xFF; ++lead) {
    const bool is_lead = lead >= 0xC2 && lead <= 0xF4;
    int low = 0x80;
    int high = 0xBF;
    if (lead == 0xE0) low = 0xA0;
    if (lead == 0xED) high = 0x9F;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;
    for (int second = 0; second <= 0xFF; ++second) {
      const std::string bytes{static_cast<char>(lead), static_cast<char>(second)};
      const bool fits = second >= low && second <= high;
      ASSERT_EQ(refused_at(bytes), !is_lead ? 0 : fits ? -1 : 1) << lead << ' ' << second;
    }
  }
}

TEST(Utf8, RefusesAWrongThirdOrFourthByteThere) {
  EXPECT_EQ(refused_at("\xE2\x82\x7F"), 2);
  EXPECT_EQ(refused_at("\xE2\x82\xC0"), 2);
  EXPECT_EQ(refused_at("\xF0\x9F\x94\x7F"), 3);
  EXPECT_EQ(refused_at("\xF0\x9F\x94\xC0"), 3);
  EXPECT_EQ(refused_at("\xF0\x9F\x28"), 2);
  // The narrow bounds of a second byte must not stay for the third, nor for the next character.
  EXPECT_EQ(refused_at("\xE0\xA0\x80\xED\x9F\xBF\xF0\x90\x80\x80\xF4\x8F\xBF\xBF\xC2\x80"), -1);
}

TEST(Utf8, IsTheSameWhereverTheTextIsCut) {
  const std::string text =
      "plain ascii of some length, \xC3\xA9 \xE2\x82\xAC \xF0\x9F\x94\x94 and ascii again, to the end";
  for (std::size_t a = 0; a <= text.size(); ++a) {
    for (std::size_t b = a; b <= text.size(); ++b) {
      Utf8Validator validator;
      ASSERT_TRUE(validator.feed(std::string_view(text).substr(0, a)));
      ASSERT_TRUE(validator.feed(std::string_view(text).substr(a, b - a)));
      ASSERT_TRUE(validator.feed(std::string_view(text).substr(b)));
      ASSERT_TRUE(validator.complete());
    }
  }
}

TEST(Utf8, FindsABadByteAtAnyPlace) {
  for (std::size_t place = 0; place < 40; ++place) {
    std::string text(40, 'a');
    text[place] = '\xFF';
    ASSERT_FALSE(is_utf8(text)) << place;
    ASSERT_EQ(refused_at(text), static_cast<int>(place));
  }
}

TEST(Utf8, AnUnfinishedCharacterIsNotCompleteUntilItsLastByte) {
  Utf8Validator validator;
  EXPECT_TRUE(validator.complete());
  EXPECT_TRUE(validator.feed("\xF0\x9F"));
  EXPECT_FALSE(validator.complete());
  EXPECT_TRUE(validator.feed(""));
  EXPECT_TRUE(validator.feed("\x94"));
  EXPECT_FALSE(validator.complete());
  EXPECT_TRUE(validator.feed("\x94"));
  EXPECT_TRUE(validator.complete());
}

TEST(Utf8, StaysRefused) {
  Utf8Validator validator;
  EXPECT_FALSE(validator.feed("\xC0"));
  EXPECT_FALSE(validator.feed("fine"));
  EXPECT_FALSE(validator.complete());
}

TEST(Utf8, KnowsControlCharacters) {
  for (char32_t c = 0; c < 0x300; ++c) {
    const bool control = c < 0x20 || (c >= 0x7F && c < 0xA0);
    EXPECT_EQ(has_control_character("x" + encode(c) + "y"), control) << static_cast<std::uint32_t>(c);
  }
  // U+1080 and U+2085 have continuation bytes that look like C1.
  EXPECT_FALSE(has_control_character(encode(0x1080) + encode(0x2085) + encode(0x1F514)));
}

}  // namespace
}  // namespace carillon
