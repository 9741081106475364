#include "app/http_reply.hpp"

#include <gtest/gtest.h>

namespace carillon::app {
namespace {

HttpReply reply(std::string_view fields) {
  const auto parsed = parse_reply_head("HTTP/1.1 503 Service Unavailable\r\n" + std::string(fields) + "\r\n");
  EXPECT_TRUE(parsed.has_value());
  return parsed.value_or(HttpReply());
}

TEST(HttpReply, ReadsStatusAndFields) {
  const HttpReply read = reply("Content-Length: 12\r\nCONNECTION:close\r\nRetry-After:\t 7 \r\n");
  EXPECT_EQ(read.status, 503);
  EXPECT_EQ(read.content_length(), 12U);
  EXPECT_TRUE(read.closes());
  EXPECT_EQ(read.retry_after(), std::chrono::seconds{7});
  EXPECT_EQ(read.field("x-none"), "");
}

TEST(HttpReply, HasNoBodyWithoutALengthAndRefusesWhatItCannotMeasure) {
  EXPECT_EQ(reply("").content_length(), 0U);
  EXPECT_FALSE(reply("Transfer-Encoding: chunked\r\n").content_length().has_value());
  EXPECT_FALSE(reply("Content-Length: 1x\r\n").content_length().has_value());
}

TEST(HttpReply, WaitsAnHourAtMostAndNotForADate) {
  EXPECT_EQ(reply("Retry-After: 999999999\r\n").retry_after(), std::chrono::hours{1});
  EXPECT_EQ(reply("Retry-After: Sun, 22 Nov 2026 12:00:00 GMT\r\n").retry_after(), milliseconds{0});
}

TEST(HttpReply, RefusesWhatIsNotHttp) {
  for (const char* head : {"", "\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 \r\n\r\n",
                           "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "HTTP/1.1 200 OK\r\nA: b\r\n", "SSH-2.0\r\n\r\n"})
    EXPECT_FALSE(parse_reply_head(head).has_value()) << head;
}

TEST(HttpReply, SaysWhyTheServerRefused) {
  HttpReply refused{.status = 403, .fields = {}, .body = {}};
  EXPECT_EQ(refused.refusal(), "403");
  refused.body =
      R"({"type":"about:blank","title":"Forbidden","status":403,"detail":"the token lacks the grant publish"})";
  EXPECT_EQ(refused.refusal(), "403 Forbidden: the token lacks the grant publish");
  refused.status = 401;
  refused.body =
      R"({"type":"error","event":"auth_failed","payload":{"message":"it was valid till noon","code":"expired"}})";
  EXPECT_EQ(refused.refusal(), "401 expired: it was valid till noon");
  refused.body = "<html>";
  EXPECT_EQ(refused.refusal(), "401");
}

}  // namespace
}  // namespace carillon::app
