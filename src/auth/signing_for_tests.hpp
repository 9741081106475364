#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/key.hpp"
#include "auth/signing_key.hpp"
#include "auth/test_keys.hpp"

// The test keys as objects. With signed_compact() they make tokens that no minter would.
namespace carillon::auth::test_keys {

inline constexpr AlgorithmSet kEveryAlgorithm = [] {
  AlgorithmSet set;
  for (const Algorithm algorithm : kAlgorithms) set.add(algorithm);
  return set;
}();

inline SigningKey signing_key(Algorithm algorithm, std::string_view file) {
  return SigningKey::read(algorithm, Secret(std::string(file))).value();
}

// The right private key for each algorithm.
inline SigningKey signing_key(Algorithm algorithm) {
  if (kHmacAlgorithms.has(algorithm)) return signing_key(algorithm, kLongSecret);
  if (kRsaAlgorithms.has(algorithm)) return signing_key(algorithm, kRsaPrivate);
  if (algorithm == Algorithm::eddsa) return signing_key(algorithm, kEd25519Private);
  return signing_key(algorithm, algorithm == Algorithm::es256 ? kP256Private : kP384Private);
}

inline Key secret_key(std::string_view secret, AlgorithmSet wanted = kEveryAlgorithm) {
  return Key::from_secret(secret, wanted).value();
}

inline Key public_key(std::string_view pem, AlgorithmSet wanted = kEveryAlgorithm) {
  return Key::from_public_key(public_key_from_pem(pem).value(), wanted).value();
}

inline Key named(Key key, std::string kid) {
  key.set_kid(std::move(kid));
  return key;
}

template <class... Keys>
std::vector<Key> keys_of(Keys... keys) {
  std::vector<Key> list;
  (list.push_back(std::move(keys)), ...);
  return list;
}

// One key of each kind, without kids.
inline std::vector<Key> one_of_each() {
  return keys_of(secret_key(kLongSecret), public_key(kRsaPublic), public_key(kP256Public), public_key(kP384Public),
                 public_key(kEd25519Public));
}

}  // namespace carillon::auth::test_keys
