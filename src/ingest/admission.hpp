#pragma once

#include <expected>
#include <memory>

#include "auth/verifier.hpp"
#include "net/http_server.hpp"
#include "telemetry/metrics.hpp"

namespace carillon::ingest {

// Decides who may call: the bearer token of a request must be good and have the grant (protocol 8.5).
// The answers are 401 with `WWW-Authenticate` and the error message of protocol 4.4, and 403.
[[nodiscard]] std::expected<Principal, net::HttpResponse> admit(const net::HttpHead& head,
                                                                const auth::Verifier& verifier, Grant required,
                                                                WallTime now);

}  // namespace carillon::ingest
