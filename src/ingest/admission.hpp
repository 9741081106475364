#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string_view>

#include "auth/verifier.hpp"
#include "net/http_server.hpp"
#include "telemetry/metrics.hpp"

namespace carillon::ingest {

// Decides who may call: the bearer token of a request must be good and have the grant (protocol 8.5).
// The answers are 401 with `WWW-Authenticate` and the error message of protocol 4.4, and 403.
[[nodiscard]] std::expected<Principal, net::HttpResponse> admit(const net::HttpHead& head,
                                                                const auth::Verifier& verifier, Grant required,
                                                                WallTime now);

// The same where the answer is no HTTP response. `token`: nothing when the caller has none.
struct Denial {
  bool is_known = false;  // whose token it is, and it lacks the grant; else the token is no good
  auth::TokenFault fault;
};
[[nodiscard]] std::expected<Principal, Denial> admit(std::optional<std::string_view> token,
                                                     const auth::Verifier& verifier, Grant required, WallTime now);

}  // namespace carillon::ingest
