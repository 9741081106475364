#pragma once

#include <string>
#include <string_view>

namespace carillon::auth {

// Why a token was refused.
struct TokenFault {
  // The stable word of protocol 4.4: malformed_token, invalid_signature, expired, not_yet_valid, wrong_issuer,
  // wrong_audience, unsupported_algorithm, unknown_key or invalid_claim. Lives as long as the process.
  std::string_view code;
  std::string message;  // for people and logs; nothing of the token is in it
};

}  // namespace carillon::auth
