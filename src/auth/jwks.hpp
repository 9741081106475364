#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "auth/key.hpp"
#include "base/result.hpp"

namespace carillon::auth {

// A JWK Set (RFC 7517 5), read.
struct Jwks {
  static constexpr std::size_t kBytesMax = 1024 * 1024;
  static constexpr std::size_t kKeysMax = 100;

  std::vector<Key> keys;
  std::vector<std::string> warnings;  // one sentence for each key that was skipped
};

// A key that is not for us is skipped: another type, curve, use, operation or algorithm, or with its private part.
// So is a secret in a set that has public keys too: such a set is meant to be published. A key that claims to be for us
// and is weak, broken or named like another one refuses the whole set, for that is an accident or an attack.
// No message quotes key material.
[[nodiscard]] Result<Jwks> read_jwks(std::string_view text, AlgorithmSet wanted);

}  // namespace carillon::auth
