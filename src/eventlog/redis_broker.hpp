#pragma once

#include <memory>
#include <string>

#include "eventlog/broker.hpp"

namespace carillon::eventlog {

// A Redis stream as a log (protocol 8.7): entries with the field `event`, which holds the envelope, and `id` beside it
// in what we append. Redis 7.0 or later.
struct RedisOptions {
  BrokerAccess access;  // url: redis://[user@]host[:port][/database], rediss:// for TLS
  std::string stream;   // the key; notes are in the stream "<key>:notes"
};
// `invalid` when the URL is not one, or asks for TLS in a build without it.
[[nodiscard]] Result<std::unique_ptr<Broker>> make_redis_broker(RedisOptions options);

}  // namespace carillon::eventlog
