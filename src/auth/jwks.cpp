#include "auth/jwks.hpp"

#include <utility>

#include "auth/jwk.hpp"
#include "base/json.hpp"

namespace carillon::auth {

namespace {

// `key 2 (kid "a")`, counted from 1; the kid is escaped as JSON and left out when it is long.
std::string name_of(const json::Value& jwk, std::size_t number) {
  std::string name = "key " + std::to_string(number);
  const auto kid = jwk.find_string("kid");
  if (!kid || kid->size() > 64) return name;
  name += " (kid ";
  json::append_string(name, *kid);
  return name + ")";
}

Result<json::Value> find_keys(const json::Value& root) {
  const auto keys = root.find("keys");
  if (!keys || !keys->is(json::Kind::array)) return fail(ErrorKind::invalid, "is not a JWK Set: no array \"keys\"");
  if (keys->size() > Jwks::kKeysMax)
    return fail(ErrorKind::invalid, "holds more than " + std::to_string(Jwks::kKeysMax) + " keys");
  for (const json::Value jwk : *keys)
    if (!jwk.is(json::Kind::object)) return fail(ErrorKind::invalid, "is not a JWK Set: a key is not an object");
  return *keys;
}

bool has_public_key(const json::Value& keys) {
  for (const json::Value jwk : keys)
    if (!is_secret_jwk(jwk)) return true;
  return false;
}

bool has_kid(const std::vector<Key>& keys, const std::optional<std::string>& kid) {
  for (const Key& key : keys)
    if (kid && key.kid() == kid) return true;
  return false;
}

Result<Jwks> read_keys(const json::Value& keys, AlgorithmSet wanted) {
  Jwks set;
  const bool is_published = has_public_key(keys);
  std::size_t number = 0;
  for (const json::Value value : keys) {
    const std::string name = name_of(value, ++number);
    if (is_published && is_secret_jwk(value)) {
      set.warnings.push_back(name + " is skipped: it is a secret among public keys");
      continue;
    }
    auto jwk = read_jwk(value, wanted);
    if (!jwk) return fail(jwk.error().kind, name + " " + jwk.error().message);
    if (!jwk->key) {
      set.warnings.push_back(name + " is skipped: it " + jwk->skipped_because);
      continue;
    }
    if (jwk->key->is_unused()) {
      set.warnings.push_back(name + " is skipped: no enabled algorithm uses it");
      continue;
    }
    if (has_kid(set.keys, jwk->key->kid())) return fail(ErrorKind::invalid, name + " has the kid of an earlier key");
    set.keys.push_back(std::move(*jwk->key));
  }
  return set;
}

}  // namespace

Result<Jwks> read_jwks(std::string_view text, AlgorithmSet wanted) {
  if (text.size() > Jwks::kBytesMax) return fail(ErrorKind::invalid, "is larger than 1 MiB");
  const auto document = json::Document::parse(text);
  if (!document) return fail(ErrorKind::invalid, "is " + document.error().message);
  const auto keys = find_keys(document->root());
  if (!keys) return std::unexpected(keys.error());
  return read_keys(*keys, wanted);
}

}  // namespace carillon::auth
