#include "base/json.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <string>

namespace carillon::json {
namespace {

using std::string_view_literals::operator""sv;

std::string compact(std::string_view text, const Limits& limits = {}) {
  const auto document = Document::parse(text, limits);
  if (!document) return document.error().message;
  std::string out;
  document->root().append_to(out);
  return out;
}

std::string repeat(std::string_view part, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out.append(part);
  return out;
}

std::string object_of(std::size_t members) {
  std::string out = "{";
  for (std::size_t i = 0; i < members; ++i) out.append(i > 0 ? ",\"k" : "\"k").append(std::to_string(i)).append("\":1");
  return out + "}";
}

TEST(Json, KeepsTheTextOfNumbers) {
  for (const std::string number : {"0", "-0", "0.10", "-0.0", "1E5", "1e+5", "1e-08", "64000.10", "1.50",
                                   "9007199254740993", "18446744073709551616", "-9223372036854775809", "0.1e-9999",
                                   "1e999999", "-1e2147483647", "0.30000000000000004000000000000000000000000000001"}) {
    const auto document = Document::parse(number);
    ASSERT_TRUE(document) << number;
    EXPECT_EQ(document->root().kind(), Kind::number);
    EXPECT_EQ(document->root().text(), number);
    EXPECT_EQ(compact("[" + number + ",{\"a\": " + number + " }]"), "[" + number + ",{\"a\":" + number + "}]");
  }
}

TEST(Json, HugeNumbersCostNoMoreThanTheirLength) {
  const std::string digits = repeat("1234567890", 100'000);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(compact(digits), digits);
  EXPECT_EQ(compact("0." + digits), "0." + digits);
  EXPECT_EQ(compact("1" + repeat("0", 1'000'000) + "e-999999"), "1" + repeat("0", 1'000'000) + "e-999999");
  EXPECT_FALSE(Document::parse("1e" + digits));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds{10});
}

TEST(Json, RefusesAnExponentOfMoreThan32Bits) {
  EXPECT_EQ(compact("[1e2147483648]"), "not valid JSON at byte 12: exponent overflow");
  EXPECT_FALSE(Document::parse("-1e99999999999999999999"));
  EXPECT_FALSE(Document::parse("1e-99999999999999999999"));
}

TEST(Json, RefusesWhatIsNotANumber) {
  for (const std::string text :
       {"01", "-", "+1", ".5", "1.", "1e", "1e+", "0x10", "NaN", "Infinity", "-Infinity", "1_000"})
    EXPECT_FALSE(Document::parse(text)) << text;
}

TEST(Json, DecodesStringsAndEncodesThemWithTheFewestEscapes) {
  const auto document = Document::parse(R"("\u0041\/\"\\\b\f\n\r\t\u0000\u001f\u00e9\ud83d\udd14 é")");
  ASSERT_TRUE(document);
  EXPECT_EQ(document->root().text(), "A/\"\\\b\f\n\r\t\0\x1f\xC3\xA9\xF0\x9F\x94\x94 \xC3\xA9"sv);
  std::string out;
  document->root().append_to(out);
  EXPECT_EQ(out, "\"A/\\\"\\\\\\b\\f\\n\\r\\t\\u0000\\u001f\xC3\xA9\xF0\x9F\x94\x94 \xC3\xA9\"");
}

TEST(Json, EscapesAnyByteAtAnyPlace) {
  for (int c = 0; c < 0x80; ++c) {
    for (std::size_t place = 0; place < 20; ++place) {
      std::string text(20, 'a');
      text[place] = static_cast<char>(c);
      std::string encoded;
      append_string(encoded, text);
      const bool escaped = c < 0x20 || c == '"' || c == '\\';
      ASSERT_EQ(encoded.size() > text.size() + 2, escaped) << c << " at " << place;
      const auto document = Document::parse(encoded);
      ASSERT_TRUE(document) << encoded;
      ASSERT_EQ(document->root().text(), text);
    }
  }
}

TEST(Json, NeverGrowsWhenCompacted) {
  for (int c = 0; c < 0x80; ++c) {
    char escape[8];
    std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(c));
    const std::string text = "\"" + std::string(escape) + "\"";
    EXPECT_LE(compact(text).size(), text.size());
  }
  EXPECT_EQ(compact(R"("\b\f\n\r\t")"), R"("\b\f\n\r\t")");
}

TEST(Json, RefusesBadTextInStrings) {
  EXPECT_FALSE(Document::parse("\"\xC0\xAF\""));
  EXPECT_FALSE(Document::parse("\"\xED\xA0\x80\""));
  EXPECT_FALSE(Document::parse("\"\xF4\x90\x80\x80\""));
  EXPECT_FALSE(Document::parse("\"\xE2\x82\""));
  EXPECT_FALSE(Document::parse(R"("\ud83d")"));
  EXPECT_FALSE(Document::parse(R"("\udd14\ud83d")"));
  EXPECT_FALSE(Document::parse("\"a\nb\""));
  EXPECT_FALSE(Document::parse("{\"\xFF\":1}"));
}

TEST(Json, FindsMembers) {
  const auto document = Document::parse(R"( { "a" : { "b" : [1, "two", null, true, {}] }, "s" : "text", "" : 7 } )");
  ASSERT_TRUE(document);
  const Value root = document->root();
  EXPECT_EQ(root.size(), 3U);
  EXPECT_EQ(root.values(), 10U);
  EXPECT_EQ(root.find("a")->find("b")->size(), 5U);
  EXPECT_EQ(root.find("a")->key(), "a");
  EXPECT_EQ(root.find_string("s"), "text");
  EXPECT_EQ(root.find("")->text(), "7");
  EXPECT_FALSE(root.find("b"));
  EXPECT_FALSE(root.find_string("a"));
  EXPECT_FALSE(root.find("s")->find("a"));
  std::string kinds;
  const Value elements = *root.find("a")->find("b");
  for (const Value element : elements) kinds += std::to_string(static_cast<int>(element.kind()));
  EXPECT_EQ(kinds, "23015");
}

TEST(Json, FindsCountsAndWhatIsTrue) {
  const auto document = Document::parse(R"({"n":18446744073709551615,"m":-1,"f":1.0,"s":"7","t":true,"o":false})");
  ASSERT_TRUE(document);
  const Value root = document->root();
  EXPECT_EQ(root.find_count("n"), 18446744073709551615U);
  for (const char* key : {"m", "f", "s", "t", "absent"}) EXPECT_FALSE(root.find_count(key)) << key;
  EXPECT_TRUE(root.has_true("t"));
  for (const char* key : {"n", "s", "o", "absent"}) EXPECT_FALSE(root.has_true(key)) << key;
}

TEST(Json, FindsNothingInScalarsAndEmptyContainers) {
  const auto document = Document::parse(R"([[],{},1,"x"])");
  ASSERT_TRUE(document);
  for (const Value element : document->root()) {
    EXPECT_EQ(element.size(), 0U);
    EXPECT_EQ(element.begin(), element.end());
    EXPECT_FALSE(element.find(""));
    EXPECT_EQ(element.key(), "");
  }
}

TEST(Json, CompactsWhiteSpaceAway) {
  EXPECT_EQ(compact("\t[ 1 ,\r\n { \"a\" : [ ] , \"b\" : { } } , null , true , false ]\n"),
            R"([1,{"a":[],"b":{}},null,true,false])");
}

TEST(Json, RefusesDuplicateNamesAlsoWhenWrittenDifferently) {
  EXPECT_EQ(compact(R"({"a":1,"b":2,"a":3})"), "not valid JSON at byte 15: duplicate member name");
  EXPECT_FALSE(Document::parse(R"({"a":1,"\u0061":2})"));
  EXPECT_FALSE(Document::parse(R"([{"x":{"":1,"":2}}])"));
  // The same name in different objects is no duplicate, also around a nested one.
  EXPECT_EQ(compact(R"({"a":{"a":{"a":1},"b":2},"b":[{"a":1},{"a":2}]})"),
            R"({"a":{"a":{"a":1},"b":2},"b":[{"a":1},{"a":2}]})");
}

TEST(Json, BoundsDepth) {
  const Limits limits{.depth_max = 3};
  EXPECT_TRUE(Document::parse("[[[1]]]", limits));
  EXPECT_TRUE(Document::parse(R"({"a":[{}],"b":[{}]})", limits));
  EXPECT_EQ(compact("[[[[1]]]]", limits), "not valid JSON at byte 3: nested too deeply");
  EXPECT_FALSE(Document::parse(repeat("[", 100'000)));
  EXPECT_FALSE(Document::parse(repeat("{\"a\":", 100'000)));
  EXPECT_TRUE(Document::parse(repeat("[", 32) + repeat("]", 32)));
  EXPECT_FALSE(Document::parse(repeat("[", 33) + repeat("]", 33)));
}

TEST(Json, BoundsMembersOfOneObject) {
  EXPECT_TRUE(Document::parse(object_of(64)));
  EXPECT_FALSE(Document::parse(object_of(65)));
  EXPECT_TRUE(Document::parse("[" + object_of(64) + "," + object_of(64) + "]"));
  EXPECT_TRUE(Document::parse("[" + repeat("1,", 1000) + "1]")) << "elements of an array are no members";
}

TEST(Json, BoundsValuesOfADocument) {
  const Limits limits{.values_max = 5};
  EXPECT_TRUE(Document::parse(R"([1,2,{"a":3}])", limits));
  EXPECT_EQ(compact(R"([1,2,{"a":3},4])", limits), "not valid JSON at byte 14: too many values");
}

TEST(Json, SaysWhere) {
  EXPECT_EQ(compact(R"({"a":tru})").substr(0, 25), "not valid JSON at byte 5:");
  EXPECT_EQ(compact("[1] x"), "not valid JSON at byte 4: extra data");
  EXPECT_EQ(compact("").substr(0, 25), "not valid JSON at byte 0:");
  EXPECT_EQ(compact("\"\xFF").substr(0, 25), "not valid JSON at byte 1:");
}

TEST(Json, RefusesWhatOnlyLooksLikeJson) {
  for (const std::string text : {"", " ", "{", "[", "[1,]", "{\"a\":1,}", "{'a':1}", "{a:1}", "[1]]", "// x\n1",
                                 "/**/1", "\xEF\xBB\xBF{}", "True", "nul", "[1 2]", "{\"a\" 1}"})
    EXPECT_FALSE(Document::parse(text)) << text;
}

TEST(Json, KeepsItsOwnCopyOfTheText) {
  Result<Document> document = std::unexpected(Error{});
  {
    const std::string text = R"({"name":"a text that is long enough not to be stored in place"})";
    document = Document::parse(text);
  }
  ASSERT_TRUE(document);
  EXPECT_EQ(document->root().find_string("name"), "a text that is long enough not to be stored in place");
}

}  // namespace
}  // namespace carillon::json
