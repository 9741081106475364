#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "net/http_head.hpp"
#include "net/http_server.hpp"
#include "websocket/options.hpp"

namespace carillon::websocket {

// Where the token travels (protocol 2.2).
enum class Carrier : std::uint8_t { header, subprotocol, first_message };

// A request that may become a WebSocket.
struct UpgradePlan {
  std::string accept_key;  // for Sec-WebSocket-Accept
  bool selects_protocol = false;
  Carrier carrier = Carrier::first_message;
  std::string token;                    // empty with first_message
  std::optional<std::string> resume{};  // as in the query (1.2)
  bool wants_snapshot = true;
};

// Checks the opening handshake (RFC 6455 4.2.1, protocol 1.3, 2.2), or says how to refuse it. Pure.
[[nodiscard]] std::expected<UpgradePlan, net::HttpResponse> plan_upgrade(const net::HttpHead& head,
                                                                         const Options& options);

// What answers a client's Sec-WebSocket-Key (RFC 6455 4.2.2).
[[nodiscard]] std::string accept_key_of(std::string_view key);

// The answer that opens the WebSocket.
[[nodiscard]] std::string encode_switching(const UpgradePlan& plan);

}  // namespace carillon::websocket
