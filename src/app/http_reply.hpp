#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace carillon::app {

// A server's answer as the client commands need it.
struct HttpReply {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> fields;  // names in lower case
  std::string body;

  // The first of that name; empty when there is none.
  [[nodiscard]] std::string_view field(std::string_view lower_name) const;
  [[nodiscard]] Result<std::uint64_t> content_length() const;
  [[nodiscard]] bool closes() const;               // no other request may follow
  [[nodiscard]] milliseconds retry_after() const;  // 0 when the server did not say

  // What a person should know of a refusal: the status, and what the body says, whether it has the form of RFC 9457
  // or of protocol 4.4.
  [[nodiscard]] std::string refusal() const;
};

// Reads a status line and fields, with the empty line at their end. Bodies have a Content-Length, or none at all.
[[nodiscard]] Result<HttpReply> parse_reply_head(std::string_view head);

}  // namespace carillon::app
