#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "auth/algorithm.hpp"
#include "auth/scope.hpp"
#include "event/principal.hpp"

namespace carillon::auth {

// What the operator decides about tokens (protocol 2.1, 2.5). Paths are complete; an empty one names nothing.
struct Options {
  std::vector<Algorithm> algorithms{Algorithm::hs256};    // accepted, nothing else
  std::filesystem::path hmac_secret_file{};               // raw bytes; one newline at the end is not part of the secret
  std::vector<std::filesystem::path> public_key_files{};  // PEM, one public key each
  std::filesystem::path jwks_file{};                      // RFC 7517
  std::string issuer{};                                   // `iss` must be these bytes; empty: not checked
  std::string audience{};                                 // must be in `aud`; empty: not checked
  Grants default_grants = scope_grants("signals orders alerts");  // of a token without a scope claim
  std::chrono::milliseconds leeway{5000};                         // for exp, nbf and iat
  std::string user_claim = "sub";
  std::string scope_claim = "scope";
  std::size_t token_bytes_max = 8 * 1024;
};

}  // namespace carillon::auth
