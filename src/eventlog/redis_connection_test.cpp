#include "eventlog/redis_connection.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace carillon::eventlog {
namespace {

TEST(RedisUrl, NamesServerAndDatabase) {
  const Result<RedisAddress> all = parse_redis_url("rediss://node@redis.example:7000/3");
  ASSERT_TRUE(all);
  EXPECT_EQ(all->server.address(), "redis.example:7000");
  EXPECT_EQ(all->server.user, "node");
  EXPECT_TRUE(all->server.uses_tls);
  EXPECT_EQ(all->database, 3U);

  for (const std::string_view url : {"redis://redis", "redis://redis/", "redis://redis/0", "rediss://redis"}) {
    const Result<RedisAddress> least = parse_redis_url(url);
    ASSERT_TRUE(least) << url;
    EXPECT_EQ(least->server.address(), "redis:6379");
    EXPECT_EQ(least->database, 0U);
  }
}

TEST(RedisUrl, IsRefusedWhereItIsNone) {
  for (const std::string_view url : {"", "http://host", "redis://host/one", "redis://host/-1", "redis://host/1/2",
                                     "redis://host/1%20", "redis://host/4294967296"}) {
    const Result<RedisAddress> address = parse_redis_url(url);
    ASSERT_FALSE(address) << url;
    EXPECT_EQ(address.error().kind, ErrorKind::invalid);
  }
}

TEST(RedisErrors, SayWhetherWaitingHelps) {
  const RedisConnection connection(*parse_redis_url("redis://host"), {});
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
