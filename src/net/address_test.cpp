#include "net/address.hpp"

#include <gtest/gtest.h>

namespace carillon::net {
namespace {

IpAddress ip(const char* text) {
  return IpAddress::parse(text).value();
}

TEST(Endpoint, ReadsV4V6AndLocalhost) {
  EXPECT_EQ(Endpoint::parse("127.0.0.1:8443")->text(), "127.0.0.1:8443");
  EXPECT_EQ(Endpoint::parse("localhost:1")->text(), "127.0.0.1:1");
  EXPECT_EQ(Endpoint::parse("[::1]:443")->text(), "[::1]:443");
  for (const char* bad : {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "::1:443", "host:1",
                          "[::1:443", "127.0.0.1:80x"})
    EXPECT_FALSE(Endpoint::parse(bad)) << bad;
}

TEST(IpAddress, CountsV6ByItsSlash64AndMappedV4AsV4) {
  EXPECT_EQ(ip("2001:db8::1").limit_key(), ip("2001:db8::ffff:1").limit_key());
  EXPECT_NE(ip("2001:db8::1").limit_key(), ip("2001:db8:0:1::1").limit_key());
  EXPECT_EQ(ip("::ffff:10.0.0.1"), ip("10.0.0.1"));
  EXPECT_TRUE(ip("::1").is_loopback());
  EXPECT_TRUE(ip("127.1.2.3").is_loopback());
  EXPECT_FALSE(ip("128.0.0.1").is_loopback());
}

TEST(Network, ContainsByPrefix) {
  EXPECT_TRUE(Network::parse("10.0.0.0/8")->contains(ip("10.255.1.2")));
  EXPECT_FALSE(Network::parse("10.0.0.0/8")->contains(ip("11.0.0.0")));
  EXPECT_TRUE(Network::parse("10.1.2.128/25")->contains(ip("10.1.2.200")));
  EXPECT_FALSE(Network::parse("10.1.2.128/25")->contains(ip("10.1.2.100")));
  EXPECT_TRUE(Network::parse("::1")->contains(ip("::1")));
  EXPECT_TRUE(Network::parse("0.0.0.0/0")->contains(ip("1.2.3.4")));
  EXPECT_FALSE(Network::parse("10.0.0.0/33"));
}

// cases.md B30
TEST(ClientAddress, TrustsOnlyListedProxiesAndTakesTheRightMostOther) {
  const std::vector<Network> proxies{Network::parse("10.0.0.0/8").value()};
  const IpAddress proxy = ip("10.0.0.1"), stranger = ip("192.0.2.9");
  EXPECT_EQ(client_address(stranger, "198.51.100.1", proxies), stranger);
  EXPECT_EQ(client_address(proxy, "198.51.100.1", proxies), ip("198.51.100.1"));
  EXPECT_EQ(client_address(proxy, "6.6.6.6, 198.51.100.1 , 10.2.3.4", proxies), ip("198.51.100.1"));
  EXPECT_EQ(client_address(proxy, "198.51.100.1, nonsense", proxies), proxy);
  EXPECT_EQ(client_address(proxy, "", proxies), proxy);
  std::string hundred = "198.51.100.7";
  for (int i = 0; i < 100; ++i) hundred += ", 10.0.0.2";
  EXPECT_EQ(client_address(proxy, hundred, proxies), ip("198.51.100.7"));
}

}  // namespace
}  // namespace carillon::net
