#include "auth/signed_token.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "auth/signing_for_tests.hpp"
#include "base/base64url.hpp"

namespace carillon::auth {
namespace {

using namespace test_keys;

const KeySet& keys() {
  static const KeySet set(kEveryAlgorithm, one_of_each());
  return set;
}

// The payload, or the code of the fault.
std::string open(std::string_view token) {
  const auto payload = open_signed_token(token, keys(), 8192);
  return payload ? *payload : std::string(payload.error().code);
}

// A token with this header, rightly signed with the HS256 secret.
std::string with_header(std::string_view header) {
  static const SigningKey key = signing_key(Algorithm::hs256);
  return signed_compact(key, header, "payload");
}

std::string good() {
  return with_header(R"({"alg":"HS256"})");
}

TEST(SignedToken, GivesThePayloadOfEveryAlgorithm) {
  for (const Algorithm algorithm : kAlgorithms) {
    const std::string header = R"({"typ":"JWT","alg":")" + std::string(to_string(algorithm)) + "\"}";
    EXPECT_EQ(open(signed_compact(signing_key(algorithm), header, "payload")), "payload") << to_string(algorithm);
    EXPECT_EQ(open(signed_compact(signing_key(algorithm), header, "")), "") << to_string(algorithm);
  }
}

TEST(SignedToken, HasExactlyThreeParts) {
  const std::string token = good();
  const std::size_t last_dot = token.rfind('.');
  for (const std::string& bad : {std::string(), std::string("."), std::string(".."), std::string("..."),
                                 token.substr(0, last_dot), token.substr(token.find('.')), token + ".", token + ".x",
                                 token + ".x.y", "." + token, std::string(8192, '.'), std::string(8192, 'x')})
    EXPECT_EQ(open(bad), "malformed_token") << bad.substr(0, 100);
}

TEST(SignedToken, IsBoundedInSize) {
  const auto sized = [](std::size_t size) {
    // The header grows until the token has the size; base64 takes 4 characters for 3 bytes.
    std::string token = good();
    for (std::size_t filler = 0; token.size() < size; ++filler)
      token = with_header(R"({"alg":"HS256","x":")" + std::string(filler, 'x') + "\"}");
    return token;
  };
  const std::string token = sized(1000);
  EXPECT_TRUE(open_signed_token(token, keys(), token.size()));
  const auto refused = open_signed_token(token, keys(), token.size() - 1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "malformed_token");
  EXPECT_EQ(refused.error().message, "the token is too long");
}

TEST(SignedToken, EveryPartIsStrictBase64url) {
  const std::string token = good();
  const std::size_t first = token.find('.');
  const std::size_t second = token.rfind('.');
  for (const std::size_t at : {first, second, token.size()})
    for (const char* inserted : {"=", "?", " ", "\n", "+", "/", "A", "%"}) {
      std::string bad = token;
      bad.insert(at, inserted);
      EXPECT_NE(open(bad), "payload") << inserted << " at " << at;
    }
  EXPECT_EQ(open(token + "="), "malformed_token");
  EXPECT_EQ(open(" " + token), "malformed_token");
  // The last character of 32 bytes has two bits to spare: the same signature, spelt otherwise.
  std::string other_spelling = token;
  other_spelling.back() = static_cast<char>(other_spelling.back() + 1);
  EXPECT_EQ(open(other_spelling), "malformed_token");
}

TEST(SignedToken, TheHeaderIsOneStrictJsonObject) {
  EXPECT_EQ(open(with_header("{ \"alg\" :\n\t\"HS256\" }")), "payload");
  for (const std::string& header :
       {std::string(), std::string("{"), std::string("{}x"), std::string("[]"), std::string("\"HS256\""),
        std::string(R"({"alg":"HS256"}{})"), std::string(R"({"alg":"HS256","alg":"HS256"})"),
        std::string(R"({"alg":"none","alg":"HS256"})"), std::string("\xEF\xBB\xBF{\"alg\":\"HS256\"}"),
        std::string("{\"alg\":\"HS256\",\"x\":\"\xFF\"}"), std::string(R"({"alg":"HS256","x":1e400})"),
        R"({"alg":"HS256","x":)" + std::string(1000, '[') + std::string(1000, ']') + "}",
        std::string(R"({'alg':'HS256'})"), std::string(R"({"alg":"HS256",})")})
    EXPECT_EQ(open(with_header(header)), "malformed_token") << header;
}

TEST(SignedToken, TheAlgorithmIsAnExactName) {
  for (const char* alg : {R"("none")", R"("None")", R"("NONE")", R"("nOnE")", R"("")", R"("hs256")", R"("HS256 ")",
                          R"("HS256\u0000")", R"("ES256K")", R"("ES512")", R"("Ed25519")", R"("dir")"})
    EXPECT_EQ(open(with_header(std::string(R"({"alg":)") + alg + "}")), "unsupported_algorithm") << alg;
  for (const char* alg : {"null", R"(["HS256"])", "256", "true", R"({"HS256":1})"})
    EXPECT_EQ(open(with_header(std::string(R"({"alg":)") + alg + "}")), "malformed_token") << alg;
  EXPECT_EQ(open(with_header("{}")), "malformed_token");
}

TEST(SignedToken, NoneNeedsNoSignatureAndGetsNoFurther) {
  std::string token;
  append_base64url(token, R"({"alg":"none"})");
  EXPECT_EQ(open(token + ".cGF5bG9hZA."), "unsupported_algorithm");
}

// The attack that public keys invite: their bytes as an HMAC secret (RFC 8725 2.1).
TEST(SignedToken, APublicKeyIsNoSecret) {
  for (const std::string_view pem : {kRsaPublic, kP256Public, kEd25519Public})
    for (const std::string_view secret : {pem, pem.substr(0, pem.size() - 1)}) {
      // SigningKey takes one newline away; another one keeps the bytes as they are.
      const SigningKey key = signing_key(Algorithm::hs256, std::string(secret) + "\n");
      EXPECT_EQ(open(signed_compact(key, R"({"alg":"HS256"})", "payload")), "invalid_signature");
    }
}

TEST(SignedToken, HeadersThatBringAKeyOrChangeTheReadingAreRefused) {
  for (const char* member :
       {R"("jwk":{"kty":"oct","k":"AAAA"})", R"("jku":"https://127.0.0.1:1/keys")", R"("x5c":["MIIB"])",
        R"("x5u":"https://127.0.0.1:1/cert")", R"("crit":["exp"])", R"("crit":[])", R"("crit":null)",
        R"("crit":["x"],"x":1)", R"("b64":false,"crit":["b64"])", R"("b64":true)"})
    EXPECT_EQ(open(with_header(std::string(R"({"alg":"HS256",)") + member + "}")), "malformed_token") << member;
}

TEST(SignedToken, OnlyAccessTokensAreTaken) {
  const auto with_type = [](std::string_view typ) {
    return open(with_header(R"({"alg":"HS256","typ":)" + std::string(typ) + "}"));
  };
  for (const char* typ :
       {R"("JWT")", R"("jwt")", R"("at+jwt")", R"("AT+JWT")", R"("application/at+jwt")", R"("Application/JWT")"})
    EXPECT_EQ(with_type(typ), "payload") << typ;
  for (const char* typ :
       {R"("id+jwt")", R"("refresh+jwt")", R"("logout+jwt")", R"("dpop+jwt")", R"("JOSE")", R"("")", R"("JWTX")",
        R"("application/")", R"("text/jwt")", R"("application/application/jwt")", "null", "7", R"(["JWT"])"})
    EXPECT_EQ(with_type(typ), "malformed_token") << typ;
}

TEST(SignedToken, AKidIsAStringThatOnlyNamesAKey) {
  const KeySet named_keys(kEveryAlgorithm, keys_of(named(secret_key(kLongSecret), "ours")));
  const auto with_kid = [&](std::string_view kid) -> std::string {
    const auto payload =
        open_signed_token(with_header(R"({"alg":"HS256","kid":)" + std::string(kid) + "}"), named_keys, 8192);
    return payload ? *payload : std::string(payload.error().code);
  };
  EXPECT_EQ(with_kid(R"("ours")"), "payload");
  EXPECT_EQ(with_kid(R"("\u006furs")"), "payload");
  for (const std::string& kid : {std::string(R"("../../dev/null")"), std::string(R"("' OR 1=1 --")"),
                                 std::string(R"("ours\u0000")"), std::string(R"("ours\r\n")"),
                                 std::string(R"("%6furs")"), '"' + std::string(4000, 'k') + '"', std::string(R"("")")})
    EXPECT_EQ(with_kid(kid), "unknown_key") << kid;
  for (const char* kid : {"null", "7", R"(["ours"])", R"({"ours":1})"})
    EXPECT_EQ(with_kid(kid), "malformed_token") << kid;
}

TEST(SignedToken, EveryPartIsCoveredByTheSignature) {
  const std::string token = good();
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    if (changed == token) continue;
    EXPECT_NE(open(changed), "payload") << i;
  }
}

TEST(SignedToken, EncryptedTokensAreRefusedByTheirShape) {
  std::string token;
  append_base64url(token, R"({"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2c":2147483648,"zip":"DEF"})");
  EXPECT_EQ(open(token + ".a2V5.aXY.dGV4dA.dGFn"), "malformed_token");
  EXPECT_EQ(open(token + ".a2V5.aXY"), "unsupported_algorithm");
}

TEST(SignedToken, AFaultSaysNothingOfTheToken) {
  const auto refused = open_signed_token(with_header(R"({"alg":"sesame","kid":"sesame"})"), keys(), 8192);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message.find("sesame"), std::string::npos);
}

}  // namespace
}  // namespace carillon::auth
