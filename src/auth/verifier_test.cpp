#include "auth/verifier.hpp"

#include <gtest/gtest.h>

#include <string>

#include "auth/key_set.hpp"
#include "auth/signing_for_tests.hpp"

namespace carillon::auth {
namespace {

using namespace test_keys;
using std::chrono::seconds;

constexpr WallTime kNow{seconds{1'000'000}};

std::string code(std::string_view token, const Options& options = {}) {
  const Verifier verifier(options, std::make_shared<const KeySet>(kEveryAlgorithm, one_of_each()));
  const auto principal = verifier.verify(token, kNow);
  return principal ? principal->user_id : std::string(principal.error().code);
}

std::string token(std::string_view claims, std::string_view header = R"({"alg":"ES256"})") {
  return signed_compact(signing_key(Algorithm::es256), header, claims);
}

TEST(Verifier, SaysWhoseTokenItIs) {
  EXPECT_EQ(code(token(R"({"sub":"alice","exp":1000600})")), "alice");
}

// Every code of protocol 4.4 that a token can earn.
TEST(Verifier, SaysWhyAnotherIsRefused) {
  const Options options{.issuer = "i", .audience = "a"};
  EXPECT_EQ(code("x.y"), "malformed_token");
  EXPECT_EQ(code(token(R"({"sub":"alice","exp":1000600})", R"({"alg":"HS256"})")), "invalid_signature");
  EXPECT_EQ(code(token(R"({"sub":"alice","exp":1})")), "expired");
  EXPECT_EQ(code(token(R"({"sub":"alice","exp":1000600,"nbf":1000300})")), "not_yet_valid");
  EXPECT_EQ(code(token(R"({"sub":"alice","exp":1000600,"iss":"x","aud":"a"})"), options), "wrong_issuer");
  EXPECT_EQ(code(token(R"({"sub":"alice","exp":1000600,"iss":"i","aud":"x"})"), options), "wrong_audience");
  EXPECT_EQ(code(token(R"({"sub":"alice","exp":1000600})", R"({"alg":"none"})")), "unsupported_algorithm");
  EXPECT_EQ(code(token(R"({"sub":7,"exp":1000600})")), "invalid_claim");
  const Verifier named_only(
      {}, std::make_shared<const KeySet>(kEveryAlgorithm, keys_of(named(public_key(kP256Public), "k"))));
  EXPECT_EQ(named_only.verify(token("{}", R"({"alg":"ES256","kid":"x"})"), kNow).error().code, "unknown_key");
}

TEST(Verifier, LooksAtNoClaimBeforeTheSignature) {
  std::string forged = token(R"({"sub":"alice","exp":1})");
  forged[forged.size() - 10] = forged[forged.size() - 10] == 'A' ? 'B' : 'A';
  EXPECT_EQ(code(forged), "invalid_signature");
}

TEST(Verifier, TheSizeLimitIsTheOperators) {
  const std::string small = token(R"({"sub":"alice","exp":1000600})");
  EXPECT_EQ(code(small, {.token_bytes_max = small.size()}), "alice");
  EXPECT_EQ(code(small, {.token_bytes_max = small.size() - 1}), "malformed_token");
  EXPECT_EQ(code(token(R"({"sub":"alice","exp":1000600,"x":")" + std::string(8192, 'x') + "\"}")), "malformed_token");
}

}  // namespace
}  // namespace carillon::auth
