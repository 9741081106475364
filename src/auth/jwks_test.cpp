#include "auth/jwks.hpp"

#include <gtest/gtest.h>

#include "auth/signing_for_tests.hpp"
#include "base/base64url.hpp"

namespace carillon::auth {
namespace {

using namespace test_keys;

// The public parts of the test keys.
constexpr std::string_view kEc =
    R"("kty":"EC","crv":"P-256","x":"OaulNQKhksiNXZyAENvJlaNFYPteUkRBGCODaH0U5Qs","y":"rRsaZ19IM4HzUb4JYzFkZff-pKgcBl6JxFHhqTmPh1k")";
constexpr std::string_view kEc384 =
    R"("kty":"EC","crv":"P-384","x":"0bRPc6nj_t4w2Je8Z0Zih9_W8EcEKY7bhADwzqViN156x9T4bnBSn6ucObZWrEPs","y":"bOJDyFHq2rsdaCopuFMefywJCkrNohWsQCXtC909LfzQ83geelMOsoslpwxyjSj-")";
constexpr std::string_view kOkp = R"("kty":"OKP","crv":"Ed25519","x":"_igMii4PlqlbxwaBWSu40SSqi8qVGXNZFXVR4hnytus")";
const std::string kModulus =
    "lmr8n7fdBofqdO2MmhCyfRMWKpYQRoJR3b1MPvDotV7c9uq8P5PskBkc5Pwl2QThS-"
    "UqiBpN3ZjZPztao1lWp49Vy7Lt0dIk5qCzOAfVB4Fa9jR18tPd_o7-"
    "P9uEIAQLJJaWcFL6yfKj8LlmTciBKlGjXSuXxc0hNc7UfXy5imimw8KeKTfKB78_jnehFcz34k6fm7CQla5NpC3jrO9hTZEISyO_"
    "70LvVnmFDZv6pdny4TfgL3LEZBRoVs94doNH0dSoL-"
    "372vqBK8tuM5dBmXNiIkJqhb59j5XK3VJl0I2b5BjyYXrIXaABH66h3KKZtzdkrh6UT790tLoGhfxeOw";

std::string rsa(std::string_view exponent) {
  return R"("kty":"RSA","n":")" + kModulus + R"(","e":")" + std::string(exponent) + '"';
}

const std::string kRsa = rsa("AQAB");

std::string oct(std::string_view secret) {
  std::string k;
  append_base64url(k, secret);
  return R"("kty":"oct","k":")" + k + '"';
}

// A set of keys, each given by its members.
std::string set_of(std::initializer_list<std::string> keys) {
  std::string text = R"({"keys":[)";
  for (const std::string& key : keys) text += (text.ends_with('[') ? "{" : ",{") + key + '}';
  return text + "]}";
}

std::string with(std::string_view key, std::string_view members) {
  return std::string(key) + "," + std::string(members);
}

Result<Jwks> read(const std::string& text) {
  return read_jwks(text, kEveryAlgorithm);
}

void expect_refused(const std::string& text, std::string_view message) {
  const auto jwks = read(text);
  ASSERT_FALSE(jwks) << text;
  EXPECT_EQ(jwks.error().message, message);
}

// Skips the key of those members, for that reason, and takes the good one beside it.
void expect_skipped(const std::string& key, const std::string& reason) {
  const auto jwks = read(set_of({key, with(kOkp, R"("kid":"good")")}));
  ASSERT_TRUE(jwks) << jwks.error().message;
  ASSERT_EQ(jwks->keys.size(), 1U) << key;
  EXPECT_EQ(jwks->keys[0].kid(), "good");
  ASSERT_EQ(jwks->warnings.size(), 1U);
  EXPECT_EQ(jwks->warnings[0], "key 1 is skipped: it " + reason);
}

TEST(Jwks, KeysOfEveryTypeVerifyWhatTheirPrivateKeysSigned) {
  const auto jwks = read(set_of({with(kRsa, R"("kid":"r")"), with(kEc, R"("kid":"e")"), with(kEc384, R"("kid":"f")"),
                                 with(kOkp, R"("kid":"o")")}));
  ASSERT_TRUE(jwks) << jwks.error().message;
  EXPECT_TRUE(jwks->warnings.empty());
  ASSERT_EQ(jwks->keys.size(), 4U);
  EXPECT_TRUE(jwks->keys[0].accepts(Algorithm::rs256, "m", signing_key(Algorithm::rs256).sign("m")));
  EXPECT_TRUE(jwks->keys[0].accepts(Algorithm::ps512, "m", signing_key(Algorithm::ps512).sign("m")));
  EXPECT_TRUE(jwks->keys[1].accepts(Algorithm::es256, "m", signing_key(Algorithm::es256).sign("m")));
  EXPECT_TRUE(jwks->keys[2].accepts(Algorithm::es384, "m", signing_key(Algorithm::es384).sign("m")));
  EXPECT_TRUE(jwks->keys[3].accepts(Algorithm::eddsa, "m", signing_key(Algorithm::eddsa).sign("m")));
}

TEST(Jwks, SecretsVerifyToo) {
  const auto jwks = read(set_of({oct(kLongSecret)}));
  ASSERT_TRUE(jwks) << jwks.error().message;
  EXPECT_TRUE(jwks->keys.at(0).accepts(Algorithm::hs512, "m", signing_key(Algorithm::hs512).sign("m")));
}

TEST(Jwks, UnknownMembersAreIgnoredAndAMissingKidIsNone) {
  const auto jwks = read(R"({"x":1,"keys":[{"x5t":"zz","foo":[],)" + std::string(kOkp) + "}]}");
  ASSERT_TRUE(jwks) << jwks.error().message;
  EXPECT_EQ(jwks->keys.at(0).kid(), std::nullopt);
}

TEST(Jwks, AlgBindsFurther) {
  const auto jwks = read(set_of({with(kRsa, R"("alg":"PS256")")}));
  ASSERT_TRUE(jwks);
  for (const Algorithm algorithm : kAlgorithms)
    EXPECT_EQ(jwks->keys.at(0).serves(algorithm), algorithm == Algorithm::ps256);
}

TEST(Jwks, KeysForVerifyingAreTaken) {
  for (const char* members :
       {R"("use":"sig")", R"("key_ops":["verify"])", R"("key_ops":["sign","verify"],"use":"sig")", R"("alg":"EdDSA")"})
    EXPECT_EQ(read(set_of({with(kOkp, members)}))->keys.size(), 1U) << members;
}

TEST(Jwks, KeysForAnotherPurposeAreSkipped) {
  for (const char* members : {R"("use":"enc")", R"("use":"")", R"("use":["sig"])", R"("use":null)"})
    expect_skipped(with(kRsa, members), "is not for signatures (use)");
  for (const char* members :
       {R"("key_ops":["encrypt"])", R"("key_ops":["sign"])", R"("key_ops":[])", R"("key_ops":"verify")",
        R"("key_ops":{"verify":true})", R"("key_ops":null)", R"("use":"sig","key_ops":["encrypt","wrapKey"])"})
    expect_skipped(with(kRsa, members), "is not for verifying (key_ops)");
}

TEST(Jwks, KeysOfAnotherKindAreSkipped) {
  for (const char* key : {R"("kty":"EC","crv":"P-521","x":"AA","y":"AA")", R"("kty":"EC","crv":"secp256k1")",
                          R"("kty":"EC")", R"("kty":"OKP","crv":"X25519","x":"AA")", R"("kty":"OKP","crv":"Ed448")",
                          R"("kty":"AKP")", R"("kty":7)", R"("n":"AA","e":"AQAB")", R"("kty":"rsa")"})
    expect_skipped(key, "is of another type or curve (kty, crv)");
}

TEST(Jwks, KeysOfAnotherAlgorithmAreSkipped) {
  expect_skipped(with(kEc, R"("alg":"ES384")"), "is for another algorithm (alg)");
  expect_skipped(with(kEc, R"("alg":"ES521")"), "is for another algorithm (alg)");
  expect_skipped(with(kRsa, R"("alg":"RSA-OAEP")"), "is for another algorithm (alg)");
  expect_skipped(with(kRsa, R"("alg":"HS256")"), "is for another algorithm (alg)");
  expect_skipped(with(kRsa, R"("alg":["RS256"])"), "is for another algorithm (alg)");
}

TEST(Jwks, PrivateKeysAreSkipped) {
  for (const char* member : {"d", "p", "q", "dp", "dq", "qi", "oth"})
    expect_skipped(with(kRsa, '"' + std::string(member) + R"(":"AA")"),
                   "holds its private part, which must not be here");
}

TEST(Jwks, ASecretAmongPublicKeysIsSkipped) {
  expect_skipped(oct(kLongSecret), "is a secret among public keys");
}

TEST(Jwks, KeysThatNoEnabledAlgorithmUsesAreSkipped) {
  const auto jwks = read_jwks(set_of({with(kRsa, R"("kid":"r\n")"), std::string(kEc)}), {Algorithm::es256});
  ASSERT_TRUE(jwks);
  EXPECT_EQ(jwks->keys.size(), 1U);
  EXPECT_EQ(jwks->warnings.at(0), R"(key 1 (kid "r\n") is skipped: no enabled algorithm uses it)");
}

TEST(Jwks, WeakAndBrokenKeysRefuseTheSet) {
  const std::string good(kOkp);
  expect_refused(
      set_of(
          {good,
           R"("kty":"RSA","kid":"r","n":"nwzllQT4TAvwodOXtyooyt3UG8Xx_gmOoHScasFrPvSpUy21ESKmRgklofUTyJJmhrP36OtvRub-vp4-eofZqsJH_vraj_Hn2IDaAU6VNc_bT9fwtYYqd9AP-Bo6D5WkADkq2OxZ2-rHULphSgj_aHu9D-BgPb_jin7QWsjWehM","e":"AQAB")"}),
      "key 2 (kid \"r\") has 1024 bits; RSA needs at least 2048");
  expect_refused(set_of({rsa("AQ")}), "key 1 has the public exponent 1");
  expect_refused(set_of({rsa("Ag")}), "key 1 has an even public exponent");
  expect_refused(set_of({R"("kty":"RSA","n":")" + kModulus + '"'}), "key 1 has no base64url text in its member e");
  expect_refused(set_of({R"("kty":"RSA","e":"AQAB","n":")" + kModulus + "=\""}),
                 "key 1 has no base64url text in its member n");
  expect_refused(
      set_of(
          {R"("kty":"EC","crv":"P-256","x":"rRsaZ19IM4HzUb4JYzFkZff-pKgcBl6JxFHhqTmPh1k","y":"OaulNQKhksiNXZyAENvJlaNFYPteUkRBGCODaH0U5Qs")"}),
      "key 1 has a point that is not on the curve P-256");
  expect_refused(
      set_of(
          {R"("kty":"EC","crv":"P-384","x":"OaulNQKhksiNXZyAENvJlaNFYPteUkRBGCODaH0U5Qs","y":"rRsaZ19IM4HzUb4JYzFkZff-pKgcBl6JxFHhqTmPh1k")"}),
      "key 1 must have x and y of 48 bytes each");
  expect_refused(set_of({R"("kty":"EC","crv":"P-256","x":"OaulNQKhksiNXZyAENvJlaNFYPteUkRBGCODaH0U5Qs","y":7)"}),
                 "key 1 has no base64url text in its member y");
  expect_refused(set_of({R"("kty":"OKP","crv":"Ed25519","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")"}),
                 "key 1 is a point of small order, for which anyone can make signatures");
  expect_refused(set_of({R"("kty":"OKP","crv":"Ed25519","x":"AA")"}), "key 1 is not an Ed25519 key");
  expect_refused(set_of({R"("kty":"oct")"}), "key 1 has no base64url text in its member k");
  expect_refused(set_of({oct("short")}), "key 1 has 5 bytes; HS256 needs at least 32");
  expect_refused(set_of({with(oct(kSecret), R"("alg":"HS512")")}), "key 1 has 32 bytes; HS512 needs at least 64");
}

TEST(Jwks, KidsAreStringsAndUnique) {
  expect_refused(set_of({with(kOkp, R"("kid":7)")}), "key 1 has a kid that is not a string");
  expect_refused(set_of({with(kOkp, R"("kid":"a")"), with(kEc, R"("kid":"a")")}),
                 "key 2 (kid \"a\") has the kid of an earlier key");
  EXPECT_EQ(read(set_of({std::string(kOkp), std::string(kEc)}))->keys.size(), 2U);
  EXPECT_EQ(read(set_of({with(kOkp, R"("kid":"")")}))->keys.at(0).kid(), "");
}

TEST(Jwks, WhatIsNoSetIsRefused) {
  expect_refused("{}", "is not a JWK Set: no array \"keys\"");
  expect_refused(R"({"keys":{}})", "is not a JWK Set: no array \"keys\"");
  expect_refused("[]", "is not a JWK Set: no array \"keys\"");
  expect_refused(R"({"keys":[7]})", "is not a JWK Set: a key is not an object");
  for (const char* text :
       {"", "{", "nonsense", R"({"keys":[],"keys":[]})", R"({"keys":[{"kty":"oct","kty":"RSA"}]})"}) {
    const auto jwks = read(text);
    ASSERT_FALSE(jwks) << text;
    EXPECT_NE(jwks.error().message.find("is not valid JSON at byte"), std::string::npos) << jwks.error().message;
  }
}

TEST(Jwks, AnEmptySetIsASet) {
  const auto jwks = read(R"({"keys":[]})");
  ASSERT_TRUE(jwks);
  EXPECT_TRUE(jwks->keys.empty());
}

TEST(Jwks, AtMostAHundredKeysAndOneMebibyte) {
  const auto set = [](std::size_t count) {
    std::string text = R"({"keys":[)";
    for (std::size_t i = 0; i < count; ++i) text += (i == 0 ? "{" : ",{") + std::string(kOkp) + "}";
    return text + "]}";
  };
  EXPECT_EQ(read(set(100))->keys.size(), 100U);
  expect_refused(set(101), "holds more than 100 keys");
  const std::string padded = R"({"keys":[])" + std::string(Jwks::kBytesMax - 11, ' ') + "}";
  EXPECT_TRUE(read(padded));
  expect_refused(padded + " ", "is larger than 1 MiB");
}

}  // namespace
}  // namespace carillon::auth
