#pragma once

#include <expected>
#include <string_view>

#include "auth/options.hpp"
#include "auth/token_fault.hpp"
#include "base/clock.hpp"
#include "event/principal.hpp"

namespace carillon::auth {

// Reads the claims of a token whose signature is good (RFC 7519 4.1, protocol 2.1 and 2.5). exp and the user claim are
// required; nbf and iat must not lie in the future; iss and aud are compared byte by byte where the options ask.
// A time is a whole number of seconds from 0 to under 2^53.
[[nodiscard]] std::expected<Principal, TokenFault> read_claims(std::string_view payload, const Options& options,
                                                               WallTime now);

}  // namespace carillon::auth
