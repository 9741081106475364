#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace carillon::protocol {

// What a client may say (protocol 2.2c, 2.6, 4.3, 6.5), as one text message.
struct AuthToken {
  std::string token;
  std::optional<std::string> resume;  // as sent; may be anything (6.1)
  bool snapshot = true;
};
struct Ping {};
struct Pong {};
struct Received {
  std::string id;
};
using ClientMessage = std::variant<AuthToken, Ping, Pong, Received>;

// One of the stable codes of protocol 4.4: not_json, bad_shape, unknown_type.
struct ClientFault {
  std::string_view code;
  std::string message;  // never echoes what the client sent
};

// `text` is valid UTF-8 of at most 16 KiB; depth and members are checked here (3.3).
[[nodiscard]] std::expected<ClientMessage, ClientFault> parse_client_message(std::string_view text);

}  // namespace carillon::protocol
