#include "auth/signed_token.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "auth/token_json.hpp"
#include "base/base64url.hpp"

namespace carillon::auth {

namespace {

std::unexpected<TokenFault> malformed(const char* why) {
  return std::unexpected(TokenFault{"malformed_token", why});
}

struct Parts {
  std::string_view header, payload, signature;
  std::string_view signed_text;  // header "." payload, as sent (RFC 7515 5.2)
};

std::optional<Parts> split(std::string_view token) {
  const std::size_t first = token.find('.');
  if (first == std::string_view::npos) return std::nullopt;
  const std::size_t second = token.find('.', first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) return std::nullopt;
  return Parts{.header = token.substr(0, first),
               .payload = token.substr(first + 1, second - first - 1),
               .signature = token.substr(second + 1),
               .signed_text = token.substr(0, second)};
}

struct Header {
  std::string algorithm;
  std::optional<std::string> kid;
};

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  return std::ranges::equal(text, lower, [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
}

// RFC 7515 4.1.9: a media type without "application/", compared without case.
bool is_our_type(std::string_view typ) {
  static constexpr std::string_view kPrefix = "application/";
  if (equals_ignoring_case(typ.substr(0, kPrefix.size()), kPrefix)) typ.remove_prefix(kPrefix.size());
  return equals_ignoring_case(typ, "jwt") || equals_ignoring_case(typ, "at+jwt");
}

std::expected<Header, TokenFault> read_header(std::string_view text) {
  static constexpr std::array kRefused = {"crit", "b64", "jwk", "jku", "x5c", "x5u"};
  const auto document = parse_token_json(text);
  if (!document) return malformed("the header is not a valid JSON object");
  const json::Value header = document->root();
  for (const char* member : kRefused)
    if (header.find(member)) return malformed("the header has a member that is not supported");
  if (header.find("typ") && !is_our_type(header.find_string("typ").value_or("")))
    return malformed("the token is of another kind (typ)");
  const auto algorithm = header.find_string("alg");
  if (!algorithm) return malformed("the header names no algorithm");
  const auto kid = header.find_string("kid");
  if (header.find("kid") && !kid) return malformed("the kid is not a string");
  return Header{.algorithm = std::string(*algorithm), .kid = kid.transform([](auto t) { return std::string(t); })};
}

}  // namespace

std::expected<std::string, TokenFault> open_signed_token(std::string_view token, const KeySet& keys,
                                                         std::size_t bytes_max) {
  if (token.size() > bytes_max) return malformed("the token is too long");
  const auto parts = split(token);
  if (!parts) return malformed("the token does not have three parts");
  const auto header_text = decode_base64url(parts->header);
  auto payload = decode_base64url(parts->payload);
  const auto signature = decode_base64url(parts->signature);
  if (!header_text || !payload || !signature) return malformed("a part of the token is not base64url");
  const auto header = read_header(*header_text);
  if (!header) return std::unexpected(header.error());
  const auto algorithm = algorithm_from_name(header->algorithm);
  if (!algorithm) return std::unexpected(TokenFault{"unsupported_algorithm", "the token's algorithm is not enabled"});
  const auto checked = keys.check(*algorithm, header->kid, parts->signed_text, *signature);
  if (!checked) return std::unexpected(checked.error());
  return std::move(*payload);
}

}  // namespace carillon::auth
