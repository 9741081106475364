#include "auth/claims.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

#include "auth/token_json.hpp"
#include "base/number.hpp"
#include "base/utf8.hpp"

namespace carillon::auth {

namespace {

constexpr std::size_t kUserIdBytesMax = 256;

std::unexpected<TokenFault> refuse(std::string_view code, const char* why) {
  return std::unexpected(TokenFault{code, why});
}

// RFC 7519 2, NumericDate, in whole seconds: a float is refused, because no two programs round it alike.
std::optional<WallTime> numeric_date(const json::Value& claim) {
  static constexpr std::uint64_t kSecondsEnd = 9007199254740992;  // 2^53: from here on a double skips seconds
  if (!claim.is(json::Kind::number)) return std::nullopt;
  const auto seconds = parse_number<std::uint64_t>(claim.text());
  if (!seconds || *seconds >= kSecondsEnd) return std::nullopt;
  return WallTime(std::chrono::seconds(static_cast<std::int64_t>(*seconds)));
}

// The last moment that a timestamp of the wire can tell.
WallTime latest_time() {
  return std::chrono::sys_days(std::chrono::year(9999) / 12 / 31) + std::chrono::hours(24) - milliseconds(1000);
}

std::expected<WallTime, TokenFault> check_times(const json::Value& claims, milliseconds leeway, WallTime now) {
  const auto exp = claims.find("exp");
  if (!exp) return refuse("invalid_claim", "the token has no exp");
  const auto expires_at = numeric_date(*exp);
  if (!expires_at) return refuse("invalid_claim", "exp is not a time");
  if (now >= *expires_at + leeway) return refuse("expired", "the token has expired");
  for (const char* name : {"nbf", "iat"}) {
    const auto claim = claims.find(name);
    if (!claim) continue;
    const auto time = numeric_date(*claim);
    if (!time) return refuse("invalid_claim", "nbf or iat is not a time");
    if (now + leeway < *time) return refuse("not_yet_valid", "the token is not valid yet");
  }
  return std::min(*expires_at, latest_time());
}

std::expected<UserId, TokenFault> read_user(const json::Value& claims, const std::string& name) {
  const auto user = claims.find_string(name);
  if (!user) return refuse("invalid_claim", "the token names no user, or not by a string");
  if (user->empty() || user->size() > kUserIdBytesMax || has_control_character(*user))
    return refuse("invalid_claim", "the user's name is not 1 to 256 bytes without control characters");
  return UserId(*user);
}

bool is_for_audience(const json::Value& claims, std::string_view audience) {
  const auto aud = claims.find("aud");
  if (!aud) return false;
  if (aud->is(json::Kind::string)) return aud->text() == audience;
  if (!aud->is(json::Kind::array)) return false;
  bool is_named = false;
  for (const json::Value one : *aud) {
    if (!one.is(json::Kind::string)) return false;
    is_named = is_named || one.text() == audience;
  }
  return is_named;
}

std::expected<Grants, TokenFault> read_grants(const json::Value& claims, const Options& options) {
  const auto scope = claims.find(options.scope_claim);
  if (!scope) return options.default_grants;
  if (!scope->is(json::Kind::string)) return refuse("invalid_claim", "the scope is not a string");
  return scope_grants(scope->text());
}

}  // namespace

std::expected<Principal, TokenFault> read_claims(std::string_view payload, const Options& options, WallTime now) {
  const auto document = parse_token_json(payload);
  if (!document) return refuse("malformed_token", "the claims are not a valid JSON object");
  const json::Value claims = document->root();

  const auto expires_at = check_times(claims, options.leeway, now);
  if (!expires_at) return std::unexpected(expires_at.error());
  if (!options.issuer.empty() && claims.find_string("iss") != options.issuer)
    return refuse("wrong_issuer", "the token comes from another issuer");
  if (!options.audience.empty() && !is_for_audience(claims, options.audience))
    return refuse("wrong_audience", "the token is for another audience");
  auto user = read_user(claims, options.user_claim);
  if (!user) return std::unexpected(user.error());
  const auto grants = read_grants(claims, options);
  if (!grants) return std::unexpected(grants.error());
  return Principal{.user_id = std::move(*user), .grants = *grants, .expires_at = *expires_at};
}

}  // namespace carillon::auth
