#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "auth/algorithm.hpp"
#include "base/result.hpp"

struct evp_pkey_st;

namespace carillon::auth {

struct EvpKeyDeleter {
  void operator()(evp_pkey_st* key) const;
};
// OpenSSL's EVP_PKEY. A PublicKey holds no private part.
using EvpKey = std::unique_ptr<evp_pkey_st, EvpKeyDeleter>;
using PublicKey = EvpKey;

// One PEM block `PUBLIC KEY` (RFC 7468 13). A private key, a certificate and a second block are refused, and the
// message says what to give instead. Says nothing yet about type and strength.
[[nodiscard]] Result<PublicKey> public_key_from_pem(std::string_view pem);

// An unencrypted private key in any of the PEM forms that OpenSSL writes.
[[nodiscard]] Result<EvpKey> private_key_from_pem(std::string_view pem);

// The parts of a JWK (RFC 7518 6, RFC 8037 2), as bytes. Refused when they are no key.
[[nodiscard]] Result<PublicKey> rsa_public_key(std::string_view modulus, std::string_view exponent);
// `group` is "P-256" or "P-384"; x and y have the full size of the field.
[[nodiscard]] Result<PublicKey> ec_public_key(const char* group, std::string_view x, std::string_view y);
[[nodiscard]] Result<PublicKey> ed25519_public_key(std::string_view x);

// The algorithms that fit the key's type: RSA: RS* and PS*; P-256: ES256; P-384: ES384; Ed25519: EdDSA; others: none.
[[nodiscard]] AlgorithmSet algorithms_of(const EvpKey& key);
// "RSA", "EC P-256", ... for messages.
[[nodiscard]] std::string type_of(const EvpKey& key);

}  // namespace carillon::auth
