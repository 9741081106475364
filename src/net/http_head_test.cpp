#include "net/http_head.hpp"

#include <gtest/gtest.h>

namespace carillon::net {
namespace {

std::string with(std::string_view lines, std::string_view request = "GET /v1/stream HTTP/1.1") {
  return std::string(request) + "\r\nHost: a\r\n" + std::string(lines) + "\r\n";
}

int status_of(const std::string& head) {
  const auto parsed = parse_http_head(head);
  return parsed ? 200 : parsed.error().status;
}

TEST(HttpHead, ReadsARequest) {
  const auto head = parse_http_head(
      "POST /v1/events?x=1&y HTTP/1.1\r\nHost: example.com:8443\r\nContent-Length: 42\r\nConnection: keep-alive, "
      "Upgrade\r\n\r\n");
  ASSERT_TRUE(head);
  EXPECT_EQ(head->method, "POST");
  EXPECT_EQ(head->path, "/v1/events");
  EXPECT_EQ(head->query, "x=1&y");
  EXPECT_EQ(head->content_length, 42U);
  EXPECT_TRUE(head->has_token("connection", "upgrade"));
  EXPECT_FALSE(head->has_token("connection", "grade"));
  EXPECT_EQ(head->field("host"), "example.com:8443");
}

// cases.md B7
TEST(HttpHead, SpeaksOnlyVersion11) {
  for (const char* line : {"GET / HTTP/1.0", "GET / HTTP/2.0", "GET / HTTP/1.2", "PRI * HTTP/2.0"})
    EXPECT_TRUE(status_of(with("", line)) == 505 || status_of(with("", line)) == 400) << line;
  for (const char* line : {"GET /", "GET / HTTP/1.1x", "GET / http/1.1", "GET / HTTP/11", "GET  HTTP/1.1", "GET /"})
    EXPECT_EQ(status_of(with("", line)), 400) << line;
}

// cases.md B8
TEST(HttpHead, WantsExactlyOneGoodHostAndOriginForm) {
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(status_of(with("Host: b\r\n")), 400);
  for (const char* host : {"", "a b", "a/b", "[::1", "a:b", "a:123456", "user@a", "[::g]", ":1"})
    EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n"), 400) << host;
  for (const char* host : {"a", "127.0.0.1:8443", "[::1]:443", "[::1]", "ex-am.ple_x"})
    EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n"), 200) << host;
  EXPECT_EQ(status_of(with("", "GET https://other/v1/stream HTTP/1.1")), 400);
  EXPECT_EQ(status_of(with("", "GET * HTTP/1.1")), 400);
}

// cases.md B15
TEST(HttpHead, RefusesWhatSmugglesRequests) {
  for (const std::string& lines :
       {std::string("X: a\r\n folded\r\n"), std::string("X: a\nY: b\r\n"), std::string("X: a\rb\r\n"),
        std::string("X: a\0b\r\n", 8), std::string("X : a\r\n"), std::string("X\x80: a\r\n"), std::string(": a\r\n"),
        std::string("X: \x80\r\n"), std::string("Transfer-Encoding: chunked\r\n"),
        std::string("Transfer-Encoding: identity\r\n"), std::string("Content-Length: 1\r\nContent-Length: 1\r\n"),
        std::string("Content-Length: +1\r\n"), std::string("Content-Length: 0x1\r\n"),
        std::string("Content-Length: 1, 1\r\n"), std::string("Content-Length: 9999999999999999\r\n"),
        std::string("Content-Length:\r\n"), std::string("no colon\r\n")})
    EXPECT_EQ(status_of(with(lines)), 400) << lines;
  EXPECT_EQ(status_of("GET / HTTP/1.1\nHost: a\n\n"), 400);
}

// cases.md B3
TEST(HttpHead, TakesSixtyFourFieldsAndNoMore) {
  std::string lines;
  for (int i = 0; i < 63; ++i) lines += "X: y\r\n";
  EXPECT_EQ(status_of(with(lines)), 200);
  EXPECT_EQ(status_of(with(lines + "X: y\r\n")), 431);
}

TEST(HttpHead, FindsItsEndWhereverItIsCut) {
  const std::string bytes = with("X: y\r\n") + "rest";
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    const auto end = find_head_end(std::string_view(bytes).substr(0, cut), cut > 0 ? cut - 1 : 0);
    EXPECT_EQ(end.has_value(), cut == bytes.size() - 4);
    if (end) break;
  }
}

TEST(QueryParameter, DecodesAndIgnoresOthers) {
  EXPECT_EQ(query_parameter("a=1&resume=j1.42&b", "resume"), "j1.42");
  EXPECT_EQ(query_parameter("resume=%6a1%2E2", "resume"), "j1.2");
  EXPECT_EQ(query_parameter("toke%6e=x", "token"), "x");
  EXPECT_EQ(query_parameter("resume", "resume"), "");
  EXPECT_EQ(query_parameter("resume=%zz", "resume"), std::nullopt);
  EXPECT_EQ(query_parameter("xresume=1", "resume"), std::nullopt);
}

}  // namespace
}  // namespace carillon::net
