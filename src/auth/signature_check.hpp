#pragma once

#include <memory>
#include <string_view>

#include "auth/algorithm.hpp"
#include "auth/evp_key.hpp"

namespace carillon::auth {

// One algorithm with one key: decides whether a signature belongs to a message. Immutable; any thread.
class SignatureCheck {
 public:
  virtual ~SignatureCheck() = default;
  // `signature` is in the form of RFC 7518 3 (ECDSA: r and s side by side). Of any other length than the algorithm's
  // it is refused. Leaves nothing in OpenSSL's error queue, which the TLS of this thread reads too.
  [[nodiscard]] virtual bool accepts(std::string_view message, std::string_view signature) const = 0;
};

// Only OpenSSL keeps a copy of the secret, and wipes it at the end. Compares in constant time.
[[nodiscard]] std::unique_ptr<const SignatureCheck> hmac_check(Algorithm algorithm, std::string_view secret);

// `key` is of a type that serves the algorithm.
[[nodiscard]] std::unique_ptr<const SignatureCheck> public_key_check(Algorithm algorithm, const PublicKey& key);

}  // namespace carillon::auth
