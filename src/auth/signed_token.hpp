#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

#include "auth/key_set.hpp"
#include "auth/token_fault.hpp"

namespace carillon::auth {

// Opens a JWS in compact form (RFC 7515 3.1): the payload's bytes, once a key of the set vouches for them. What the
// payload says is not looked at.
// Refused before any other work: more than `bytes_max`, and any number of dots but two, found by the third at the
// latest; so encrypted tokens are (five parts). Then whatever is not strict base64url or JSON, and header members that
// would change how the token is read or bring its own key (crit, b64, jwk, jku, x5c, x5u): these are never followed.
// `typ`, if there, is JWT or at+jwt, so that a token made for another purpose is not taken for ours (RFC 8725 3.11).
[[nodiscard]] std::expected<std::string, TokenFault> open_signed_token(std::string_view token, const KeySet& keys,
                                                                       std::size_t bytes_max);

}  // namespace carillon::auth
