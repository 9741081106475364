#include "websocket/upgrade.hpp"

#include <gtest/gtest.h>

namespace carillon::websocket {
namespace {

constexpr std::string_view kGood =
    "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

std::expected<UpgradePlan, net::HttpResponse> plan(std::string_view lines, const Options& options = {},
                                                   std::string_view target = "/v1/stream") {
  const auto head =
      net::parse_http_head("GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n" + std::string(lines) + "\r\n");
  EXPECT_TRUE(head.has_value()) << lines;
  return plan_upgrade(*head, options);
}

std::expected<UpgradePlan, net::HttpResponse> good_plan(std::string_view more, const Options& options = {}) {
  return plan(std::string(kGood) + std::string(more), options);
}

int status_of(const std::expected<UpgradePlan, net::HttpResponse>& result) {
  return result ? 101 : result.error().status;
}

TEST(Upgrade, AnswersAsTheRfcsExample) {
  const auto result = good_plan("");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->carrier, Carrier::first_message);
  EXPECT_EQ(encode_switching(*result),
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
}

// cases.md B9, B11
TEST(Upgrade, RefusesAnIncompleteHandshake) {
  const std::string rest = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  EXPECT_EQ(status_of(plan("Connection: Upgrade\r\n" + rest)), 426);
  EXPECT_EQ(status_of(plan("Upgrade: h2c\r\nConnection: Upgrade\r\n" + rest)), 400);
  EXPECT_EQ(status_of(plan("Upgrade: websocket\r\n" + rest)), 400);
  EXPECT_EQ(status_of(plan("Upgrade: websocket\r\nConnection: keep-alive\r\n" + rest)), 400);
  const auto old = plan(
      "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 7\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
  ASSERT_EQ(status_of(old), 426);
  const auto& fields = old.error().fields;
  EXPECT_NE(std::find(fields.begin(), fields.end(), std::pair<std::string, std::string>("Sec-WebSocket-Version", "13")),
            fields.end());
}

// cases.md B13
TEST(Upgrade, WantsOneKeyOfSixteenBytes) {
  const std::string rest = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n";
  EXPECT_EQ(status_of(plan(rest)), 400);
  for (const char* key : {"", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25j", "dGhlIHNhbXBsZSBub25jZWE=",
                          "dGhlIHNhbXBsZSBub25jZR==", "dGhlIHNhbXBs ZSBub25jZQ==", "!GhlIHNhbXBsZSBub25jZQ=="})
    EXPECT_EQ(status_of(plan(rest + "Sec-WebSocket-Key: " + key + "\r\n")), 400) << key;
  EXPECT_EQ(status_of(plan(std::string(kGood) + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")), 400);
}

// cases.md B21, B22, B24
TEST(Upgrade, ComparesOriginsAsTheyAre) {
  Options options;
  options.allowed_origins = {"https://example.com"};
  EXPECT_EQ(status_of(good_plan("Origin: https://example.com\r\n", options)), 101);
  for (const char* origin : {"https://other.com", "null", "http://example.com", "https://example.com:444",
                             "https://evil-example.com", "https://sub.example.com.evil", "https://example.com."})
    EXPECT_EQ(status_of(good_plan("Origin: " + std::string(origin) + "\r\n", options)), 403) << origin;
  EXPECT_EQ(status_of(good_plan("Origin: https://example.com\r\nOrigin: https://example.com\r\n", options)), 400);
  EXPECT_EQ(status_of(good_plan("Origin: https://" + std::string(8192, 'a') + "\r\n", options)), 400);
  EXPECT_EQ(status_of(good_plan("", options)), 101);
  options.allow_missing_origin = false;
  EXPECT_EQ(status_of(good_plan("", options)), 403);
  EXPECT_EQ(status_of(good_plan("Origin: https://anyone\r\n")), 101);
}

// protocol 2.2, cases.md B25, C36, C37
TEST(Upgrade, FindsTheTokenInExactlyOnePlace) {
  const auto header = good_plan("Authorization: Bearer a.b.c\r\n");
  ASSERT_TRUE(header);
  EXPECT_EQ(header->carrier, Carrier::header);
  EXPECT_EQ(header->token, "a.b.c");
  const auto protocol = good_plan("Sec-WebSocket-Protocol: carillon.v1, carillon.bearer.a.b.c\r\n");
  ASSERT_TRUE(protocol);
  EXPECT_EQ(protocol->carrier, Carrier::subprotocol);
  EXPECT_EQ(protocol->token, "a.b.c");
  EXPECT_TRUE(encode_switching(*protocol).ends_with("\r\nSec-WebSocket-Protocol: carillon.v1\r\n\r\n"));
  const auto other = good_plan("Sec-WebSocket-Protocol: chat, superchat\r\n");
  ASSERT_TRUE(other);
  EXPECT_EQ(encode_switching(*other).find("Protocol: "), std::string::npos);

  const std::string both =
      "Authorization: Bearer a.b.c\r\nSec-WebSocket-Protocol: carillon.v1, carillon.bearer.a.b.c\r\n";
  EXPECT_EQ(status_of(good_plan(both)), 400);
  EXPECT_EQ(status_of(good_plan("Sec-WebSocket-Protocol: carillon.v1, carillon.bearer.a, carillon.bearer.b\r\n")), 400);
  EXPECT_EQ(status_of(good_plan("Sec-WebSocket-Protocol: carillon.bearer.a.b.c\r\n")), 400);
  EXPECT_EQ(status_of(good_plan("Sec-WebSocket-Protocol: a b\r\n")), 400);
  std::string many = "a0";
  for (int i = 1; i < 16; ++i) many += ", a" + std::to_string(i);
  EXPECT_EQ(status_of(good_plan("Sec-WebSocket-Protocol: " + many + "\r\n")), 101);
  EXPECT_EQ(status_of(good_plan("Sec-WebSocket-Protocol: " + many + ", b\r\n")), 400);
  for (const char* target : {"/v1/stream?token=x", "/v1/stream?a=b&access_token=x", "/v1/stream?t%6Fken=x"})
    EXPECT_EQ(status_of(plan(kGood, {}, target)), 400) << target;
  EXPECT_EQ(status_of(plan(kGood, {}, "/v1/stream?resume=j1.2&other=1")), 101);
}

}  // namespace
}  // namespace carillon::websocket
