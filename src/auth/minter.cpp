#include "auth/minter.hpp"

#include <string_view>
#include <utility>

#include "auth/key_file.hpp"
#include "base/json.hpp"
#include "base/utf8.hpp"

namespace carillon::auth {

namespace {

void append_member(std::string& object, std::string_view name, std::string_view value) {
  object.push_back(object.empty() ? '{' : ',');
  json::append_string(object, name);
  object.push_back(':');
  json::append_string(object, value);
}

std::string header_of(Algorithm algorithm, std::string_view kid) {
  std::string header;
  append_member(header, "alg", to_string(algorithm));
  append_member(header, "typ", "JWT");
  if (!kid.empty()) append_member(header, "kid", kid);
  return header + "}";
}

std::string claims_of(const TokenRequest& request, WallTime now) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch());
  std::string claims;
  append_member(claims, request.user_claim, request.user_id);
  if (request.scope) append_member(claims, request.scope_claim, *request.scope);
  if (!request.issuer.empty()) append_member(claims, "iss", request.issuer);
  if (!request.audience.empty()) append_member(claims, "aud", request.audience);
  return claims + ",\"iat\":" + std::to_string(seconds.count()) +
         ",\"exp\":" + std::to_string((seconds + request.lifetime).count()) + "}";
}

bool is_text(const TokenRequest& request) {
  return is_utf8(request.user_id) && is_utf8(request.scope.value_or("")) && is_utf8(request.issuer) &&
         is_utf8(request.audience) && is_utf8(request.user_claim) && is_utf8(request.scope_claim);
}

}  // namespace

Minter::Minter(SigningKey key, std::string kid) : key_(std::move(key)), kid_(std::move(kid)) {}

Result<Minter> Minter::load(Algorithm algorithm, const std::filesystem::path& key_file, std::string kid) {
  if (!is_utf8(kid)) return fail(ErrorKind::invalid, "the kid is not UTF-8");
  auto file = read_key_file(key_file);
  if (!file) return std::unexpected(std::move(file.error()));
  auto key = SigningKey::read(algorithm, std::move(*file));
  if (!key) return fail(ErrorKind::invalid, "key file " + key_file.string() + " " + key.error().message);
  return Minter(std::move(*key), std::move(kid));
}

Result<std::string> Minter::mint(const TokenRequest& request, WallTime now) const {
  if (!is_text(request)) return fail(ErrorKind::invalid, "a token's texts must be UTF-8");
  if (std::chrono::abs(request.lifetime) > std::chrono::years(100))
    return fail(ErrorKind::invalid, "a token's lifetime is at most 100 years");
  return signed_compact(key_, header_of(key_.algorithm(), kid_), claims_of(request, now));
}

}  // namespace carillon::auth
