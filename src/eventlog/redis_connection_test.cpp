#include "eventlog/redis_connection.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace carillon::eventlog {
namespace {

TEST(RedisUrl, NamesHostPortUserAndDatabase) {
  const Result<RedisAddress> all = parse_redis_url("redis://node@redis.example:7000/3");
  ASSERT_TRUE(all);
  EXPECT_EQ(all->host, "redis.example");
  EXPECT_EQ(all->port, 7000);
  EXPECT_EQ(all->user, "node");
  EXPECT_EQ(all->database, 3U);
  EXPECT_FALSE(all->uses_tls);
  EXPECT_EQ(all->text(), "redis.example:7000");

  const Result<RedisAddress> least = parse_redis_url("rediss://redis");
  ASSERT_TRUE(least);
  EXPECT_EQ(least->host, "redis");
  EXPECT_EQ(least->port, 6379);
  EXPECT_EQ(least->user, "");
  EXPECT_EQ(least->database, 0U);
  EXPECT_TRUE(least->uses_tls);
}

TEST(RedisUrl, TakesIpv6InBrackets) {
  for (const std::string_view url : {"redis://[::1]", "redis://[::1]:6379", "redis://[::1]:6379/0", "redis://[::1]/"}) {
    const Result<RedisAddress> address = parse_redis_url(url);
    ASSERT_TRUE(address) << url;
    EXPECT_EQ(address->host, "::1");
    EXPECT_EQ(address->text(), "[::1]:6379");
  }
}

TEST(RedisUrl, IsRefusedWhereItIsNone) {
  for (const std::string_view url : {"",
                                     "redis",
                                     "redis:host",
                                     "http://host",
                                     "redis://",
                                     "redis:///1",
                                     "redis://:6379",
                                     "redis://host:",
                                     "redis://host:0",
                                     "redis://host:65536",
                                     "redis://host:63 79",
                                     "redis://host:6379x",
                                     "redis://host/one",
                                     "redis://host/-1",
                                     "redis://host/1/2",
                                     "redis://host?db=1",
                                     "redis://host#1",
                                     "redis://%68ost",
                                     "redis://[::1",
                                     "redis://[::1]6379",
                                     "redis://[]"}) {
    const Result<RedisAddress> address = parse_redis_url(url);
    ASSERT_FALSE(address) << url;
    EXPECT_EQ(address.error().kind, ErrorKind::invalid);
  }
}

TEST(RedisUrl, HoldsNoPasswordAndAnErrorDoesNotRepeatIt) {
  for (const std::string_view url : {"redis://node:Sesame@host", "redis://:Sesame@host:6379/1", "redis://a@Sesame@host",
                                     "redis://node:Ses/Sesame@host"}) {
    const Result<RedisAddress> address = parse_redis_url(url);
    ASSERT_FALSE(address) << url;
    EXPECT_EQ(address.error().kind, ErrorKind::invalid);
    EXPECT_NE(address.error().message.find("password"), std::string::npos);
    EXPECT_EQ(address.error().message.find("Sesame"), std::string::npos);
  }
}

TEST(RedisErrors, SayWhetherWaitingHelps) {
  const RedisConnection connection({.host = "host", .port = 6379, .user = {}, .database = 0, .uses_tls = false}, {});
  const auto kind = [&](std::string_view answer) { return connection.error_of(answer).kind; };
  EXPECT_EQ(kind("WRONGPASS invalid username-password pair or user is disabled."), ErrorKind::denied);
  EXPECT_EQ(kind("NOAUTH Authentication required."), ErrorKind::denied);
  EXPECT_EQ(kind("NOPERM this user has no permissions to run the 'xadd' command"), ErrorKind::denied);
  EXPECT_EQ(kind("WRONGTYPE Operation against a key holding the wrong kind of value"), ErrorKind::invalid);
  EXPECT_EQ(kind("MOVED 3999 127.0.0.1:6381"), ErrorKind::invalid);
  EXPECT_EQ(kind("ERR DB index is out of range"), ErrorKind::invalid);
  EXPECT_EQ(kind("OOM command not allowed when used memory > 'maxmemory'."), ErrorKind::full);
  EXPECT_EQ(kind("MISCONF Errors writing to the AOF file: No space left on device"), ErrorKind::full);
  EXPECT_EQ(kind("LOADING Redis is loading the dataset in memory"), ErrorKind::unavailable);
  EXPECT_EQ(kind("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'."),
            ErrorKind::unavailable);
  EXPECT_EQ(kind("NOREPLICAS Not enough good replicas to write."), ErrorKind::unavailable);
  EXPECT_EQ(kind("READONLY You can't write against a read only replica."), ErrorKind::unavailable);
  EXPECT_EQ(kind("ERR max number of clients reached"), ErrorKind::unavailable);
  EXPECT_EQ(connection.error_of("BUSY a script").message, "Redis at host:6379: BUSY a script");
}

TEST(RedisReply, IsReadInOrderAndHasAnEnd) {
  RedisReply reply;
  reply.add(RedisReply::Type::array, 3);
  reply.add(RedisReply::Type::array, 2);
  reply.add(RedisReply::Type::text, "a");
  reply.add(RedisReply::Type::array, 1);
  reply.add(RedisReply::Type::nil, 0);
  reply.add(RedisReply::Type::integer, 7);
  reply.add(RedisReply::Type::error, "ERR");
  EXPECT_EQ(reply.next().elements(), 3U);
  reply.skip();
  EXPECT_EQ(reply.peek().number, 7U);
  EXPECT_EQ(reply.next().elements(), 0U);
  EXPECT_EQ(reply.next().text, "ERR");
  EXPECT_EQ(reply.next().type, RedisReply::Type::nil);
  reply.skip();
  EXPECT_EQ(reply.peek().elements(), 0U);
}

}  // namespace
}  // namespace carillon::eventlog
