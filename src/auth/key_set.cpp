#include "auth/key_set.hpp"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <string>
#include <utility>

#include "auth/jwks.hpp"
#include "auth/key_file.hpp"
#include "telemetry/log.hpp"

namespace carillon::auth {

namespace {

void warn(const std::filesystem::path& path, std::string_view reason) {
  telemetry::log(telemetry::Level::warning, "key skipped", {{"file", path.string()}, {"reason", reason}});
}

std::unexpected<Error> refuse(const std::filesystem::path& path, const Error& error) {
  return fail(error.kind, "key file " + path.string() + " " + error.message);
}

Result<> add_key(std::vector<Key>& keys, const std::filesystem::path& path, Result<Key> key) {
  if (!key) return refuse(path, key.error());
  if (key->is_unused())
    warn(path, "no enabled algorithm uses it");
  else
    keys.push_back(std::move(*key));
  return {};
}

Result<> add_secret(std::vector<Key>& keys, const std::filesystem::path& path, AlgorithmSet enabled) {
  const auto file = read_key_file(path);
  if (!file) return std::unexpected(file.error());
  return add_key(keys, path, Key::from_secret(secret_in(*file), enabled));
}

Result<> add_public_key(std::vector<Key>& keys, const std::filesystem::path& path, AlgorithmSet enabled) {
  const auto file = read_key_file(path);
  if (!file) return std::unexpected(file.error());
  const auto key = public_key_from_pem(file->view());
  if (!key) return refuse(path, key.error());
  return add_key(keys, path, Key::from_public_key(*key, enabled));
}

Result<> add_jwks(std::vector<Key>& keys, const std::filesystem::path& path, AlgorithmSet enabled) {
  const auto file = read_key_file(path, Jwks::kBytesMax);
  if (!file) return std::unexpected(file.error());
  auto jwks = read_jwks(file->view(), enabled);
  if (!jwks) return refuse(path, jwks.error());
  for (const std::string& warning : jwks->warnings) warn(path, warning);
  std::ranges::move(jwks->keys, std::back_inserter(keys));
  return {};
}

Result<std::vector<Key>> read_all(const Options& options, AlgorithmSet enabled) {
  std::vector<Key> keys;
  Result<> read;
  if (!options.hmac_secret_file.empty()) read = add_secret(keys, options.hmac_secret_file, enabled);
  for (const auto& path : options.public_key_files)
    if (read) read = add_public_key(keys, path, enabled);
  if (read && !options.jwks_file.empty()) read = add_jwks(keys, options.jwks_file, enabled);
  if (!read) return std::unexpected(read.error());
  if (keys.size() > KeySet::kKeysMax)
    return fail(ErrorKind::invalid, "more than " + std::to_string(KeySet::kKeysMax) + " keys to verify tokens with");
  return keys;
}

std::string_view what_serves(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::hs256:
      return "a secret of at least 32 bytes";
    case Algorithm::hs384:
      return "a secret of at least 48 bytes";
    case Algorithm::hs512:
      return "a secret of at least 64 bytes";
    case Algorithm::es256:
      return "an EC P-256 public key";
    case Algorithm::es384:
      return "an EC P-384 public key";
    case Algorithm::eddsa:
      return "an Ed25519 public key";
    default:
      return "an RSA public key of at least 2048 bits";
  }
}

// Without this a mistake in the configuration would show as refused users only.
Result<> check_that_all_are_served(AlgorithmSet enabled, const std::vector<Key>& keys) {
  for (const Algorithm algorithm : kAlgorithms) {
    if (!enabled.has(algorithm)) continue;
    const bool is_served = std::ranges::any_of(keys, [=](const Key& key) { return key.serves(algorithm); });
    if (!is_served)
      return fail(ErrorKind::invalid, "the algorithm " + std::string(to_string(algorithm)) +
                                          " is enabled but no key serves it; it needs " +
                                          std::string(what_serves(algorithm)));
  }
  return {};
}

}  // namespace

Result<std::shared_ptr<const KeySet>> KeySet::load(const Options& options) {
  const AlgorithmSet enabled(options.algorithms);
  if (enabled.empty()) return fail(ErrorKind::invalid, "no algorithm is enabled, so no token could be accepted");
  auto keys = read_all(options, enabled);
  if (!keys) return std::unexpected(std::move(keys.error()));
  if (auto served = check_that_all_are_served(enabled, *keys); !served) return std::unexpected(served.error());
  return std::make_shared<const KeySet>(enabled, std::move(*keys));
}

KeySet::KeySet(AlgorithmSet enabled, std::vector<Key> keys) : enabled_(enabled), keys_(std::move(keys)) {}

std::expected<void, TokenFault> KeySet::check(Algorithm algorithm, std::optional<std::string_view> kid,
                                              std::string_view message, std::string_view signature) const {
  const auto refuse = [](std::string_view code, const char* why) { return std::unexpected(TokenFault{code, why}); };
  if (!enabled_.has(algorithm)) return refuse("unsupported_algorithm", "the token's algorithm is not enabled");
  std::size_t tries = 0;
  for (const Key& key : keys_) {
    const bool is_named_otherwise = kid && key.kid() && *kid != *key.kid();
    if (is_named_otherwise || !key.serves(algorithm)) continue;
    if (++tries > kTriesMax) return refuse("unknown_key", "too many keys fit; the token must name one by its kid");
    if (key.accepts(algorithm, message, signature)) return {};
  }
  if (tries == 0) return refuse("unknown_key", "no key has the token's kid and fits its algorithm");
  return refuse("invalid_signature", "no key that fits made this signature");
}

}  // namespace carillon::auth
