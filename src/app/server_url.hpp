#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace carillon::app {

// Which server a client command talks to: "https://HOST[:PORT]", or wss, which means the same here.
struct ServerUrl {
  std::string host;  // a name or an IP address, without brackets
  std::string port;  // digits

  // For the Host field (RFC 9112 3.2).
  [[nodiscard]] std::string authority() const;

  // Clear text, user names, paths and queries are refused.
  [[nodiscard]] static Result<ServerUrl> parse(std::string_view text);
};

}  // namespace carillon::app
