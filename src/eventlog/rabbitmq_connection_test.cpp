#include "eventlog/rabbitmq_connection.hpp"

#include <gtest/gtest.h>

#include <string_view>

namespace carillon::eventlog {
namespace {

TEST(RabbitmqUrl, NamesServerAndVirtualHost) {
  const auto all = parse_rabbitmq_url("amqps://node@rabbit.example/a%2Fb%C3%A4");
  ASSERT_TRUE(all);
  EXPECT_EQ(all->server.address(), "rabbit.example:5671");
  EXPECT_EQ(all->server.user, "node");
  EXPECT_TRUE(all->server.uses_tls);
  EXPECT_EQ(all->vhost, "a/b\xC3\xA4");

  for (const std::string_view url : {"amqp://rabbit", "amqp://rabbit/", "amqp://rabbit/%2F", "amqp://rabbit/%2f"}) {
    const auto least = parse_rabbitmq_url(url);
    ASSERT_TRUE(least) << url;
    EXPECT_EQ(least->server.address(), "rabbit:5672");
    EXPECT_EQ(least->vhost, "/");
  }
}

TEST(RabbitmqUrl, IsRefusedWhereItIsNone) {
  for (const std::string_view url : {"", "http://host", "amqp://host//", "amqp://host/a/b", "amqp://host/%",
                                     "amqp://host/%2", "amqp://host/%zz", "amqp://host/%-1"}) {
    const auto address = parse_rabbitmq_url(url);
    ASSERT_FALSE(address) << url;
    EXPECT_EQ(address.error().kind, ErrorKind::invalid);
  }
}

}  // namespace
}  // namespace carillon::eventlog
