#include "auth/key.hpp"

#include <algorithm>
#include <cstddef>

#include "auth/weakness.hpp"

namespace carillon::auth {

namespace {

// RFC 7518 3.2: at least as long as the hash.
constexpr std::size_t secret_bytes_min(Algorithm algorithm) {
  if (algorithm == Algorithm::hs512) return 64;
  return algorithm == Algorithm::hs384 ? 48 : 32;
}

// The one that asks for least; HS256 when none is wanted, so that a weak secret is refused all the same.
Algorithm least_demanding(AlgorithmSet wanted) {
  const auto* const found =
      std::ranges::find_if(kAlgorithms, [=](Algorithm algorithm) { return (wanted & kHmacAlgorithms).has(algorithm); });
  return found != kAlgorithms.end() ? *found : Algorithm::hs256;
}

}  // namespace

Result<Key> Key::from_secret(std::string_view secret, AlgorithmSet wanted) {
  const Algorithm least = least_demanding(wanted);
  if (secret.size() < secret_bytes_min(least))
    return fail(ErrorKind::invalid, "has " + std::to_string(secret.size()) + " bytes; " +
                                        std::string(to_string(least)) + " needs at least " +
                                        std::to_string(secret_bytes_min(least)));
  Key key;
  for (const Algorithm algorithm : kAlgorithms)
    if ((wanted & kHmacAlgorithms).has(algorithm) && secret.size() >= secret_bytes_min(algorithm))
      key.checks_.emplace_back(algorithm, hmac_check(algorithm, secret));
  return key;
}

Result<Key> Key::from_public_key(const PublicKey& public_key, AlgorithmSet wanted) {
  if (auto weak = weakness(public_key)) return fail(ErrorKind::invalid, std::move(*weak));
  const AlgorithmSet bound = algorithms_of(public_key) & wanted;
  Key key;
  for (const Algorithm algorithm : kAlgorithms)
    if (bound.has(algorithm)) key.checks_.emplace_back(algorithm, public_key_check(algorithm, public_key));
  return key;
}

bool Key::accepts(Algorithm algorithm, std::string_view message, std::string_view signature) const {
  const SignatureCheck* check = find(algorithm);
  return check != nullptr && check->accepts(message, signature);
}

const SignatureCheck* Key::find(Algorithm algorithm) const {
  for (const auto& [bound, check] : checks_)
    if (bound == algorithm) return check.get();
  return nullptr;
}

}  // namespace carillon::auth
