#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/algorithm.hpp"
#include "auth/evp_key.hpp"
#include "auth/signature_check.hpp"
#include "base/result.hpp"

namespace carillon::auth {

// One key that tokens are verified with, bound to the algorithms that fit its type and are wanted, so that a token
// cannot choose how it is read (RFC 8725 3.1). May serve none. Immutable; any thread.
class Key {
 public:
  // Refuses a secret that is too short for all wanted algorithms (RFC 7518 3.2: as long as the hash, so never under
  // 32 bytes). One that is long enough for some serves those.
  [[nodiscard]] static Result<Key> from_secret(std::string_view secret, AlgorithmSet wanted);
  // Refuses a weak key, see weakness().
  [[nodiscard]] static Result<Key> from_public_key(const PublicKey& key, AlgorithmSet wanted);

  // The name a token may choose this key by; nothing when it came without one.
  [[nodiscard]] const std::optional<std::string>& kid() const { return kid_; }
  void set_kid(std::string kid) { kid_ = std::move(kid); }

  [[nodiscard]] bool serves(Algorithm algorithm) const { return find(algorithm) != nullptr; }
  [[nodiscard]] bool is_unused() const { return checks_.empty(); }
  // False also when the key does not serve the algorithm.
  [[nodiscard]] bool accepts(Algorithm algorithm, std::string_view message, std::string_view signature) const;

 private:
  [[nodiscard]] const SignatureCheck* find(Algorithm algorithm) const;

  std::optional<std::string> kid_;
  std::vector<std::pair<Algorithm, std::unique_ptr<const SignatureCheck>>> checks_;
};

}  // namespace carillon::auth
