#include "auth/jwk.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "auth/secret.hpp"
#include "base/base64url.hpp"

namespace carillon::auth {

namespace {

Result<std::string> bytes_of(const json::Value& jwk, std::string_view member) {
  const auto text = jwk.find_string(member);
  auto bytes = text ? decode_base64url(*text) : std::nullopt;
  if (!bytes) return fail(ErrorKind::invalid, "has no base64url text in its member " + std::string(member));
  return std::move(*bytes);
}

bool lists_verify(const json::Value& operations) {
  for (const json::Value operation : operations)
    if (operation.is(json::Kind::string) && operation.text() == "verify") return true;
  return false;
}

bool has_private_part(const json::Value& jwk) {
  static constexpr std::array kPrivate = {"d", "p", "q", "dp", "dq", "qi", "oth"};
  return std::ranges::any_of(kPrivate, [&](std::string_view member) { return jwk.find(member).has_value(); });
}

// The algorithms that the pair of kty and crv allows; none: not one of ours.
AlgorithmSet algorithms_of_type(const json::Value& jwk) {
  const auto kty = jwk.find_string("kty");
  const auto crv = jwk.find_string("crv");
  if (kty == "oct") return kHmacAlgorithms;
  if (kty == "RSA") return kRsaAlgorithms;
  if (kty == "EC" && crv == "P-256") return {Algorithm::es256};
  if (kty == "EC" && crv == "P-384") return {Algorithm::es384};
  if (kty == "OKP" && crv == "Ed25519") return {Algorithm::eddsa};
  return {};
}

Result<Key> read_secret(const json::Value& jwk, AlgorithmSet bound) {
  auto k = bytes_of(jwk, "k");
  if (!k) return std::unexpected(std::move(k.error()));
  const Secret secret(std::move(*k));
  return Key::from_secret(secret.view(), bound);
}

Result<PublicKey> read_rsa(const json::Value& jwk) {
  const auto n = bytes_of(jwk, "n");
  if (!n) return std::unexpected(n.error());
  const auto e = bytes_of(jwk, "e");
  if (!e) return std::unexpected(e.error());
  return rsa_public_key(*n, *e);
}

Result<PublicKey> read_ec(const json::Value& jwk) {
  const auto x = bytes_of(jwk, "x");
  if (!x) return std::unexpected(x.error());
  const auto y = bytes_of(jwk, "y");
  if (!y) return std::unexpected(y.error());
  return ec_public_key(jwk.find_string("crv") == "P-384" ? "P-384" : "P-256", *x, *y);
}

Result<PublicKey> read_public_key(const json::Value& jwk) {
  const auto kty = jwk.find_string("kty");
  if (kty == "RSA") return read_rsa(jwk);
  if (kty == "EC") return read_ec(jwk);
  const auto x = bytes_of(jwk, "x");
  if (!x) return std::unexpected(x.error());
  return ed25519_public_key(*x);
}

// Why a key of ours by type is not for verifying tokens.
std::optional<std::string> reason_to_skip(const json::Value& jwk) {
  if (jwk.find("use") && jwk.find_string("use") != "sig") return "is not for signatures (use)";
  const auto operations = jwk.find("key_ops");
  if (operations && !lists_verify(*operations)) return "is not for verifying (key_ops)";
  if (!is_secret_jwk(jwk) && has_private_part(jwk)) return "holds its private part, which must not be here";
  return std::nullopt;
}

Result<Key> read_key(const json::Value& jwk, AlgorithmSet bound) {
  if (is_secret_jwk(jwk)) return read_secret(jwk, bound);
  const auto key = read_public_key(jwk);
  if (!key) return std::unexpected(key.error());
  return Key::from_public_key(*key, bound);
}

Jwk skip(std::string why) {
  return {.key = std::nullopt, .skipped_because = std::move(why)};
}

}  // namespace

bool is_secret_jwk(const json::Value& jwk) {
  return jwk.find_string("kty") == "oct";
}

Result<Jwk> read_jwk(const json::Value& jwk, AlgorithmSet wanted) {
  AlgorithmSet bound = algorithms_of_type(jwk);
  if (bound.empty()) return skip("is of another type or curve (kty, crv)");
  if (auto why = reason_to_skip(jwk)) return skip(std::move(*why));
  if (jwk.find("alg")) {
    const auto own = algorithm_from_name(jwk.find_string("alg").value_or(""));
    if (!own || !bound.has(*own)) return skip("is for another algorithm (alg)");
    bound = {*own};
  }
  auto key = read_key(jwk, bound & wanted);
  if (!key) return std::unexpected(std::move(key.error()));
  if (jwk.find("kid")) {
    const auto kid = jwk.find_string("kid");
    if (!kid) return fail(ErrorKind::invalid, "has a kid that is not a string");
    key->set_kid(std::string(*kid));
  }
  return Jwk{.key = std::move(*key), .skipped_because = {}};
}

}  // namespace carillon::auth
