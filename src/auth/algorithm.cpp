#include "auth/algorithm.hpp"

#include <cstddef>

namespace carillon::auth {

namespace {
constexpr std::array<std::string_view, kAlgorithms.size()> kNames = {
    "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"};
}

std::string_view to_string(Algorithm algorithm) {
  return kNames.at(static_cast<std::size_t>(algorithm));
}

std::optional<Algorithm> algorithm_from_name(std::string_view name) {
  for (const Algorithm algorithm : kAlgorithms)
    if (to_string(algorithm) == name) return algorithm;
  return std::nullopt;
}

const char* digest_name(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::hs256:
    case Algorithm::rs256:
    case Algorithm::ps256:
    case Algorithm::es256:
      return "SHA256";
    case Algorithm::hs384:
    case Algorithm::rs384:
    case Algorithm::ps384:
    case Algorithm::es384:
      return "SHA384";
    case Algorithm::hs512:
    case Algorithm::rs512:
    case Algorithm::ps512:
      return "SHA512";
    case Algorithm::eddsa:
      return nullptr;
  }
  return nullptr;
}

}  // namespace carillon::auth
