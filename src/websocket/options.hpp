#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.hpp"

namespace carillon::websocket {

// What an operator decides about sessions; the defaults are those of the protocol.
struct Options {
  std::vector<std::string> allowed_origins;  // empty: any (protocol 1.3)
  bool allow_missing_origin = true;
  milliseconds token_timeout{5000};  // 2.2 c
  milliseconds token_leeway{5000};   // 2.7
  milliseconds heartbeat_interval{20000};
  milliseconds heartbeat_timeout{10000};
  std::size_t message_bytes_max = 16 * 1024;   // 3.3
  std::size_t queue_bytes_max = 1024 * 1024;   // 7.2
  milliseconds queue_age_max{10000};           // 7.2
  std::uint32_t messages_per_second_max = 20;  // from one client, two and a half times as many at once
  std::uint32_t connections_per_user_max = 20;
};

}  // namespace carillon::websocket
