#include "eventlog/broker_url.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace carillon::eventlog {
namespace {

constexpr BrokerUrlForm kForm{.broker = "Some",
                              .pattern = "some://[user@]host[:port][/path]",
                              .scheme = "some",
                              .port = 1000,
                              .tls_scheme = "somes",
                              .tls_port = 2000};

TEST(BrokerUrl, NamesServerUserAndPath) {
  const auto all = parse_broker_url("somes://node@host.example:7000/a/b%2F", kForm);
  ASSERT_TRUE(all);
  EXPECT_EQ(all->host, "host.example");
  EXPECT_EQ(all->port, 7000);
  EXPECT_EQ(all->user, "node");
  EXPECT_EQ(all->path, "a/b%2F");
  EXPECT_TRUE(all->uses_tls);
  EXPECT_EQ(all->address(), "host.example:7000");
}

TEST(BrokerUrl, NeedsAHostAndNothingElse) {
  for (const auto& [text, port, uses_tls] :
       {std::tuple{"some://h", 1000, false}, {"some://h/", 1000, false}, {"somes://h", 2000, true}}) {
    const auto url = parse_broker_url(text, kForm);
    ASSERT_TRUE(url) << text;
    EXPECT_EQ(url->host, "h");
    EXPECT_EQ(url->port, port);
    EXPECT_EQ(url->uses_tls, uses_tls);
    EXPECT_EQ(url->user + url->path, "");
  }
}

TEST(BrokerUrl, TakesIpv6InBrackets) {
  for (const std::string_view text : {"some://[::1]", "some://[::1]:1000", "some://[::1]:1000/p", "some://[::1]/"}) {
    const auto url = parse_broker_url(text, kForm);
    ASSERT_TRUE(url) << text;
    EXPECT_EQ(url->host, "::1");
    EXPECT_EQ(url->address(), "[::1]:1000");
  }
}

TEST(BrokerUrl, IsRefusedWhereItIsNone) {
  for (const std::string_view text : {"",
                                      "some",
                                      "some:host",
                                      "some:/host",
                                      "://host",
                                      "other://host",
                                      "somes3://host",
                                      "some://",
                                      "some:///path",
                                      "some://:1000",
                                      "some://host:",
                                      "some://host:/path",
                                      "some://host:0",
                                      "some://host:65536",
                                      "some://host:-1",
                                      "some://host:10 00",
                                      "some://host:1000x",
                                      "some://::1",
                                      "some://ho st",
                                      "some://ho\nst",
                                      "some://host?a=1",
                                      "some://host/a?b",
                                      "some://host#1",
                                      "some://%68ost",
                                      "some://[fe80::1%25eth0]",
                                      "some://[::1",
                                      "some://[::1]1000",
                                      "some://[::1]:",
                                      "some://[]"}) {
    const auto url = parse_broker_url(text, kForm);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(url.error().kind, ErrorKind::invalid);
    EXPECT_TRUE(url.error().message.ends_with("; it is some://[user@]host[:port][/path]")) << url.error().message;
  }
}

TEST(BrokerUrl, HoldsNoPasswordAndAnErrorDoesNotRepeatIt) {
  for (const std::string_view text : {"some://node:Sesame@host", "some://:Sesame@host:1000/1", "some://a@Sesame@host",
                                      "some://node:Ses/Sesame@host", "some://node%3ASesame@host"}) {
    const auto url = parse_broker_url(text, kForm);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(url.error().kind, ErrorKind::invalid);
    EXPECT_NE(url.error().message.find("password"), std::string::npos);
    EXPECT_EQ(url.error().message.find("Sesame"), std::string::npos);
  }
  const auto neither = parse_broker_url("Sesame://host", kForm);
  ASSERT_FALSE(neither);
  EXPECT_EQ(neither.error().message.find("Sesame"), std::string::npos);
}

}  // namespace
}  // namespace carillon::eventlog
