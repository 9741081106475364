#pragma once

#include <string>
#include <string_view>

#include "auth/algorithm.hpp"
#include "auth/evp_key.hpp"
#include "auth/secret.hpp"
#include "base/result.hpp"

namespace carillon::auth {

// A key that signs with one algorithm. Immutable; any thread. Wiped at the end.
class SigningKey {
 public:
  // `file` holds, for HS*, the secret as secret_in() reads it, else an unencrypted PEM private key of the type that the
  // algorithm needs. Weak keys are refused as they are for verifying; the message is the rest of a sentence.
  [[nodiscard]] static Result<SigningKey> read(Algorithm algorithm, Secret file);

  [[nodiscard]] Algorithm algorithm() const { return algorithm_; }
  // In the form of RFC 7518 3.
  [[nodiscard]] std::string sign(std::string_view message) const;

 private:
  SigningKey(Algorithm algorithm, Secret secret_file, EvpKey private_key);

  Algorithm algorithm_;
  Secret secret_file_;  // HS*; else empty
  EvpKey private_key_;  // else null
};

// The compact form (RFC 7515 7.1) of any header and payload, signed with the key whatever the header says.
[[nodiscard]] std::string signed_compact(const SigningKey& key, std::string_view header, std::string_view payload);

}  // namespace carillon::auth
