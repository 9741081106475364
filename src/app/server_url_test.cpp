#include "app/server_url.hpp"

#include <gtest/gtest.h>

namespace carillon::app {
namespace {

TEST(ServerUrl, ReadsHostAndPort) {
  const auto with_port = ServerUrl::parse("https://127.0.0.1:8443");
  ASSERT_TRUE(with_port.has_value());
  EXPECT_EQ(with_port->host, "127.0.0.1");
  EXPECT_EQ(with_port->port, "8443");
  EXPECT_EQ(with_port->authority(), "127.0.0.1:8443");
  EXPECT_EQ(ServerUrl::parse("https://push.example.com")->authority(), "push.example.com:443");
  EXPECT_EQ(ServerUrl::parse("wss://localhost:1/")->authority(), "localhost:1");
  const auto v6 = ServerUrl::parse("https://[::1]:8443");
  ASSERT_TRUE(v6.has_value());
  EXPECT_EQ(v6->host, "::1");
  EXPECT_EQ(v6->authority(), "[::1]:8443");
}

TEST(ServerUrl, RefusesEverythingElse) {
  for (const char* text :
       {"", "https://", "127.0.0.1:8443", "http://127.0.0.1:8443", "ws://a", "https://a:0", "https://a:65536",
        "https://a:", "https://a:8443x", "https://a/path", "https://a?x=1", "https://user@a", "https://a b",
        "https://[::1", "https://[]", "https://::1:8443", "https://a\r\nX: y", "https://[::1]8443"})
    EXPECT_FALSE(ServerUrl::parse(text).has_value()) << text;
}

}  // namespace
}  // namespace carillon::app
