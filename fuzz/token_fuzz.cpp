// Tokens from a hostile peer (auth/verifier.hpp) against a key of every kind: no crash, and nobody is let in by a token
// that was not signed here. The first byte of an input says how the rest is read:
//   '0'  a token as it is sent
//   '1'  header, newline, claims: signed rightly, so that the claims are reached
//   '2'  header, newline, claims, newline, signature: put together, never signed

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "auth/key_set.hpp"
#include "auth/signing_for_tests.hpp"
#include "auth/verifier.hpp"
#include "base/base64url.hpp"
#include "base/ensure.hpp"
#include "base/utf8.hpp"

namespace {

using namespace carillon;
using namespace carillon::auth;

constexpr WallTime kNow{std::chrono::seconds{1'795'348'800}};
constexpr std::string_view kClaims = R"({"sub":"alice","scope":"signals orders","exp":1795352400})";

std::string header_of(Algorithm algorithm) {
  return R"({"alg":")" + std::string(to_string(algorithm)) + R"(","typ":"JWT"})";
}

// Everything up to the second dot, which is what a signature covers.
std::string_view signed_text(std::string_view token) {
  return token.substr(0, token.rfind('.'));
}

class World {
 public:
  World() : verifier_(Options{}, std::make_shared<const KeySet>(test_keys::kEveryAlgorithm, test_keys::one_of_each())) {
    for (const Algorithm algorithm : kAlgorithms) {
      const std::string token = signed_compact(test_keys::signing_key(algorithm), header_of(algorithm), kClaims);
      ensure(verifier_.verify(token, kNow).has_value(), "a good token is accepted");
      issued_.emplace(signed_text(token));
    }
  }

  std::string sign(std::string_view header, std::string_view claims) const {
    return signed_compact(signing_key_, header, claims);
  }
  std::expected<Principal, TokenFault> verify(std::string_view token) const { return verifier_.verify(token, kNow); }
  bool has_issued(std::string_view token) const { return issued_.contains(std::string(signed_text(token))); }

 private:
  Verifier verifier_;
  SigningKey signing_key_ = test_keys::signing_key(Algorithm::hs256);
  std::set<std::string> issued_;
};

void check_principal(const Principal& principal) {
  ensure(!principal.user_id.empty() && principal.user_id.size() <= 256, "a user's name keeps to its bounds");
  ensure(is_utf8(principal.user_id) && !has_control_character(principal.user_id), "a user's name is text");
  ensure(principal.expires_at + Options{}.leeway > kNow, "an expired token is refused");
  ensure(principal.expires_at <= WallTime(std::chrono::seconds{253'402'300'799}), "an expiry can be written");
}

void check_fault(const TokenFault& fault) {
  static constexpr std::array<std::string_view, 9> kCodes = {
      "malformed_token", "invalid_signature",     "expired",     "not_yet_valid", "wrong_issuer",
      "wrong_audience",  "unsupported_algorithm", "unknown_key", "invalid_claim"};
  ensure(std::ranges::find(kCodes, fault.code) != kCodes.end() && !fault.message.empty(), "a fault says what it is");
}

// Cuts off and returns what stands before the first newline.
std::string_view line_of(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(text.size(), line.size() + 1));
  return line;
}

std::string unsigned_token(std::string_view text) {
  std::string token;
  for (int part = 0; part < 3; ++part) {
    if (part > 0) token.push_back('.');
    append_base64url(token, part < 2 ? line_of(text) : text);
  }
  return token;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const World world;
  if (size == 0) return 0;
  std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const bool is_signed = data[0] == '1';
  std::string token(text);
  if (is_signed) {
    const std::string_view header = line_of(text);
    token = world.sign(header, text);
  } else if (data[0] == '2') {
    token = unsigned_token(text);
  }

  const auto principal = world.verify(token);
  if (!principal) {
    check_fault(principal.error());
    return 0;
  }
  check_principal(*principal);
  ensure(is_signed || world.has_issued(token), "only what was signed is accepted");
  return 0;
}
