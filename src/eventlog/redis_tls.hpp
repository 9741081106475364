#pragma once

#include "base/result.hpp"
#include "eventlog/broker.hpp"
#include "eventlog/broker_url.hpp"

struct redisContext;

namespace carillon::eventlog {

// TLS to Redis is there where hiredis came with its hiredis_ssl (1.0 and later, packaged beside it).
[[nodiscard]] bool has_redis_tls();

// Shakes hands over a connection that has sent nothing yet: the server's certificate must be one of the authorities
// that `access` names, for the host that the URL names. `denied` where it is not, `invalid` where a file cannot be
// read.
[[nodiscard]] Result<> start_redis_tls(redisContext& connection, const BrokerUrl& server, const BrokerAccess& access);

}  // namespace carillon::eventlog
