#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include "auth/algorithm.hpp"
#include "auth/signing_key.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"

namespace carillon::auth {

// What a development token shall say.
struct TokenRequest {
  std::string user_id{};
  std::optional<std::string> scope{};   // absent: no scope claim, so the operator's default grants
  std::string issuer{};                 // empty: no iss
  std::string audience{};               // empty: no aud
  std::chrono::seconds lifetime{3600};  // negative: already expired; at most 100 years either way
  std::string user_claim = "sub";
  std::string scope_claim = "scope";
};

// Signs tokens for development and tests (`carillon token`); a product's tokens come from its identity provider.
// Immutable; any thread.
class Minter {
 public:
  // `key_file`: for HS* the secret as Options::hmac_secret_file has it, else an unencrypted PEM private key of the type
  // that the algorithm needs. Weak keys are refused as they are for verifying. `kid` empty: none in the header.
  [[nodiscard]] static Result<Minter> load(Algorithm algorithm, const std::filesystem::path& key_file,
                                           std::string kid = {});

  // Compact JWS with iat = now and exp = now + lifetime, in whole seconds. Refuses texts that are not UTF-8.
  [[nodiscard]] Result<std::string> mint(const TokenRequest& request, WallTime now) const;

 private:
  Minter(SigningKey key, std::string kid);

  SigningKey key_;
  std::string kid_;
};

}  // namespace carillon::auth
