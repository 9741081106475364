#pragma once

#include <cstdint>

namespace carillon::protocol {

// Why a connection ends (protocol 7, RFC 6455 7.4). The number goes into the close frame.
enum class CloseCode : std::uint16_t {
  normal = 1000,
  going_away = 1001,
  protocol_error = 1002,
  unsupported_data = 1003,
  invalid_utf8 = 1007,
  policy_violation = 1008,
  too_large = 1009,
  internal_error = 1011,
  restart = 1012,
  overloaded = 1013,
  malformed_messages = 4400,
  bad_token = 4401,
  not_allowed = 4403,
  no_token_in_time = 4408,
  heartbeat_timeout = 4411,
  token_expired = 4419,
  too_slow = 4420,
  revoked = 4423,
  too_many = 4429,
};

}  // namespace carillon::protocol
