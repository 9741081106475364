#pragma once

#include <optional>
#include <string>

#include "auth/key.hpp"
#include "base/json.hpp"
#include "base/result.hpp"

namespace carillon::auth {

// What one member of `keys` turned out to be: a key, or the reason to skip it as the rest of a sentence about it.
struct Jwk {
  std::optional<Key> key;
  std::string skipped_because;
};

// A JSON Web Key (RFC 7517 4) for verifying, bound to those of the wanted algorithms that fit its type and its own
// `alg`. See read_jwks() for what is skipped and what is an error.
[[nodiscard]] Result<Jwk> read_jwk(const json::Value& jwk, AlgorithmSet wanted);

// Whether it is a secret (kty "oct").
[[nodiscard]] bool is_secret_jwk(const json::Value& jwk);

}  // namespace carillon::auth
