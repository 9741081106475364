#include "auth/minter.hpp"

#include <gtest/gtest.h>

#include "auth/key_set.hpp"
#include "auth/signing_for_tests.hpp"
#include "auth/temporary_files.hpp"
#include "auth/verifier.hpp"
#include "base/base64url.hpp"

namespace carillon::auth {
namespace {

using namespace test_keys;
using std::chrono::seconds;

constexpr WallTime kNow{milliseconds{1'000'000'999}};

std::string_view private_file(Algorithm algorithm) {
  if (kHmacAlgorithms.has(algorithm)) return kLongSecret;
  if (kRsaAlgorithms.has(algorithm)) return kRsaPrivate;
  if (algorithm == Algorithm::eddsa) return kEd25519Private;
  return algorithm == Algorithm::es256 ? kP256Private : kP384Private;
}

class MinterTest : public testing::Test {
 protected:
  Result<Minter> load(Algorithm algorithm, std::string_view file, std::string kid = {}) const {
    return Minter::load(algorithm, files_.write("key", file), std::move(kid));
  }
  // The two JSON texts of a token.
  static std::pair<std::string, std::string> texts(std::string_view token) {
    const std::size_t first = token.find('.');
    const std::size_t second = token.rfind('.');
    return {decode_base64url(token.substr(0, first)).value(),
            decode_base64url(token.substr(first + 1, second - first - 1)).value()};
  }

  TemporaryFiles files_;
};

TEST_F(MinterTest, TokensOfEveryAlgorithmAreAccepted) {
  const Verifier verifier({.issuer = "issuer", .audience = "carillon"},
                          std::make_shared<const KeySet>(kEveryAlgorithm, one_of_each()));
  for (const Algorithm algorithm : kAlgorithms) {
    const auto minter = load(algorithm, private_file(algorithm), "a kid");
    ASSERT_TRUE(minter) << minter.error().message;
    const auto token =
        minter->mint({.user_id = "alice", .scope = "publish", .issuer = "issuer", .audience = "carillon"}, kNow);
    ASSERT_TRUE(token);
    const auto principal = verifier.verify(*token, kNow);
    ASSERT_TRUE(principal) << to_string(algorithm) << ": " << principal.error().message;
    EXPECT_EQ(principal->user_id, "alice");
    EXPECT_EQ(principal->grants, scope_grants("publish"));
    EXPECT_EQ(principal->expires_at, WallTime(seconds{1'000'000 + 3600}));
  }
}

TEST_F(MinterTest, SaysExactlyWhatWasAsked) {
  const auto minter = load(Algorithm::hs256, kSecret);
  const auto plain = minter->mint({.user_id = "alice \"\xC3\xA9\""}, kNow);
  EXPECT_EQ(texts(*plain).first, R"({"alg":"HS256","typ":"JWT"})");
  EXPECT_EQ(texts(*plain).second, "{\"sub\":\"alice \\\"\xC3\xA9\\\"\",\"iat\":1000000,\"exp\":1003600}");
  const auto full = load(Algorithm::hs256, kSecret, "k1")
                        ->mint({.user_id = "bob",
                                .scope = "",
                                .issuer = "i",
                                .audience = "a",
                                .lifetime = seconds{-60},
                                .user_claim = "uid",
                                .scope_claim = "scp"},
                               kNow);
  EXPECT_EQ(texts(*full).first, R"({"alg":"HS256","typ":"JWT","kid":"k1"})");
  EXPECT_EQ(texts(*full).second, R"({"uid":"bob","scp":"","iss":"i","aud":"a","iat":1000000,"exp":999940})");
}

TEST_F(MinterTest, TakesTheSecretAsTheVerifierDoes) {
  const auto token = load(Algorithm::hs256, std::string(kSecret) + "\n")->mint({.user_id = "alice"}, kNow);
  const Verifier verifier({}, std::make_shared<const KeySet>(kEveryAlgorithm, keys_of(secret_key(kSecret))));
  EXPECT_TRUE(verifier.verify(*token, kNow));
}

TEST_F(MinterTest, KeysThatDoNotFitOrAreWeakAreRefusedByFile) {
  const auto refusal = [&](Algorithm algorithm, std::string_view file) {
    const auto minter = load(algorithm, file);
    if (minter) return std::string("accepted");
    const std::string start = "key file " + files_.path("key").string() + " ";
    EXPECT_EQ(minter.error().message.substr(0, start.size()), start);
    return minter.error().message.substr(start.size());
  };
  EXPECT_EQ(refusal(Algorithm::hs256, "short"), "has 5 bytes; HS256 needs at least 32");
  EXPECT_EQ(refusal(Algorithm::hs512, kSecret), "has 32 bytes; HS512 needs at least 64");
  EXPECT_EQ(refusal(Algorithm::rs256, kP256Private), "is of the type EC P-256, which does not fit RS256");
  EXPECT_EQ(refusal(Algorithm::es256, kP384Private), "is of the type EC P-384, which does not fit ES256");
  EXPECT_EQ(refusal(Algorithm::eddsa, kRsaPrivate), "is of the type RSA, which does not fit EdDSA");
  EXPECT_EQ(refusal(Algorithm::es256, kP256Public), "is not an unencrypted private key in PEM form");
  EXPECT_EQ(refusal(Algorithm::es256, kP256Encrypted), "is not an unencrypted private key in PEM form");
  EXPECT_FALSE(Minter::load(Algorithm::es256, files_.path("absent")));
}

TEST_F(MinterTest, RefusesWhatNoTokenCanSay) {
  const auto minter = load(Algorithm::hs256, kSecret);
  EXPECT_FALSE(minter->mint({.user_id = "\xFF"}, kNow));
  EXPECT_FALSE(minter->mint({.user_id = "alice", .scope = "\xC3"}, kNow));
  EXPECT_FALSE(minter->mint({.user_id = "alice", .lifetime = std::chrono::years(101)}, kNow));
  EXPECT_FALSE(minter->mint({.user_id = "alice", .lifetime = seconds::max()}, kNow));
  EXPECT_FALSE(load(Algorithm::hs256, kSecret, "\xFF"));
}

}  // namespace
}  // namespace carillon::auth
