#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace carillon::eventlog {

// Where a broker's server is: SCHEME://[user@]host[:port][/path].
struct BrokerUrl {
  std::string host;  // an IPv6 address without its brackets
  std::uint16_t port = 0;
  std::string user;  // empty: none
  std::string path;  // what stands behind the host's /, as it stands there
  bool uses_tls = false;

  // For people: 127.0.0.1:6379, [::1]:6379.
  [[nodiscard]] std::string address() const;
};

// How the URLs of one kind of broker look.
struct BrokerUrlForm {
  std::string_view broker;   // "Redis"
  std::string_view pattern;  // for people: "redis://[user@]host[:port][/database]"
  std::string_view scheme;   // "redis"
  std::uint16_t port = 0;    // where the URL names none
  std::string_view tls_scheme;
  std::uint16_t tls_port = 0;

  // `invalid`: "the Redis URL ", what is wrong with it, and how it looks.
  [[nodiscard]] std::unexpected<Error> refusal(std::string_view why) const;
};

// `invalid` with a sentence that does not hold the URL, which might hold a secret: a password in it is refused. Only
// the path may have a %, which is left to the caller as the rest of it is.
[[nodiscard]] Result<BrokerUrl> parse_broker_url(std::string_view url, const BrokerUrlForm& form);

}  // namespace carillon::eventlog
