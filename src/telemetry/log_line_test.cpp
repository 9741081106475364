#include "telemetry/log_line.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <initializer_list>
#include <limits>
#include <string>

#include "base/json.hpp"

namespace carillon::telemetry {
namespace {

using namespace std::string_view_literals;

constexpr WallTime kNoon{std::chrono::milliseconds{1795348800123}};

std::string text(std::string_view event, std::initializer_list<Field> fields) {
  return format_line(LogFormat::text, kNoon, Level::info, event, std::span(fields.begin(), fields.size()));
}

std::string json(std::string_view event, std::initializer_list<Field> fields) {
  return format_line(LogFormat::json, kNoon, Level::warning, event, std::span(fields.begin(), fields.size()));
}

TEST(LogLine, TextNamesTimeLevelEventAndFields) {
  EXPECT_EQ(text("connection closed", {{"code", 4411}, {"user", "a b"}, {"peer", "127.0.0.1:5000"}}),
            "2026-11-22T12:00:00.123Z info  connection closed code=4411 user=\"a b\" peer=127.0.0.1:5000\n");
}

TEST(LogLine, JsonIsOneObjectWithTypedValues) {
  EXPECT_EQ(json("started", {{"port", std::uint16_t{8443}}, {"delta", -1}, {"ok", true}, {"seconds", 0.25}}),
            R"({"time":"2026-11-22T12:00:00.123Z","level":"warning","event":"started",)"
            R"("port":8443,"delta":-1,"ok":true,"seconds":0.25})"
            "\n");
}

TEST(LogLine, EmptyValueIsVisible) {
  EXPECT_TRUE(text("x", {{"user", ""}}).ends_with("x user=\"\"\n"));
}

TEST(LogLine, NothingAPeerSendsEndsTheLine) {
  constexpr std::string_view kHostile = "a\r\n2026 info forged\0\x1b[31m\"\\\x7f"sv;
  const std::string escaped = R"(a\r\n2026 info forged\u0000\u001b[31m\"\\\u007f)";
  EXPECT_TRUE(text("refused", {{"origin", kHostile}}).ends_with("refused origin=\"" + escaped + "\"\n"));
  EXPECT_TRUE(json("refused", {{"origin", kHostile}}).ends_with("\"origin\":\"" + escaped + "\"}\n"));
}

TEST(LogLine, EventTextIsEscapedToo) {
  EXPECT_TRUE(text("a\nb", {}).ends_with(" info  a\\nb\n"));
}

TEST(LogLine, CharactersThatActOnTheReaderAreEscaped) {
  EXPECT_TRUE(text("x", {{"v", "\u009b31m"}}).ends_with("v=\"\\u009b31m\"\n"));
  EXPECT_TRUE(text("x", {{"v", "\u2028\u202e\u2066"}}).ends_with("v=\"\\u2028\\u202e\\u2066\"\n"));
  EXPECT_TRUE(text("x", {{"v", "Zoë €𝄞"}}).ends_with("v=\"Zoë €𝄞\"\n"));
}

TEST(LogLine, InvalidUtf8NeverReachesTheLog) {
  for (const std::string_view bad : {"\x80", "\xff", "\xc0\xaf", "\xe2\x82", "\xed\xa0\x80", "\xf4\x90\x80\x80"}) {
    const std::string line = json("x", {{"v", bad}});
    const auto document = json::Document::parse(std::string_view(line).substr(0, line.size() - 1));
    ASSERT_TRUE(document.has_value()) << line;
    EXPECT_TRUE(document->root().find_string("v")->starts_with("\xef\xbf\xbd"));
  }
}

TEST(LogLine, LongValuesAreCut) {
  const std::string kid(64 * 1024, 'k');
  EXPECT_TRUE(text("x", {{"kid", kid}}).ends_with("kid=\"" + std::string(kFieldBytesMax, 'k') + "...\"\n"));
}

TEST(LogLine, NumbersThatJsonDoesNotKnowBecomeNull) {
  EXPECT_TRUE(json("x", {{"v", std::numeric_limits<double>::infinity()}}).ends_with("\"v\":null}\n"));
  EXPECT_TRUE(json("x", {{"v", std::nan("")}}).ends_with("\"v\":null}\n"));
}

}  // namespace
}  // namespace carillon::telemetry
