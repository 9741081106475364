#include "auth/weakness.hpp"

#include <gtest/gtest.h>

#include <string>

#include "auth/test_keys.hpp"
#include "base/base64url.hpp"

namespace carillon::auth {
namespace {

// The modulus of test_keys::kRsaPublic.
const std::string kModulus = *decode_base64url(
    "lmr8n7fdBofqdO2MmhCyfRMWKpYQRoJR3b1MPvDotV7c9uq8P5PskBkc5Pwl2QThS-"
    "UqiBpN3ZjZPztao1lWp49Vy7Lt0dIk5qCzOAfVB4Fa9jR18tPd_o7-"
    "P9uEIAQLJJaWcFL6yfKj8LlmTciBKlGjXSuXxc0hNc7UfXy5imimw8KeKTfKB78_jnehFcz34k6fm7CQla5NpC3jrO9hTZEISyO_"
    "70LvVnmFDZv6pdny4TfgL3LEZBRoVs94doNH0dSoL-"
    "372vqBK8tuM5dBmXNiIkJqhb59j5XK3VJl0I2b5BjyYXrIXaABH66h3KKZtzdkrh6UT790tLoGhfxeOw");

constexpr std::string_view kExponent("\x01\x00\x01", 3);

std::string weakness_of(Result<PublicKey> key) {
  if (!key) return key.error().message;
  return weakness(*key).value_or("none");
}

std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2)
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  return bytes;
}

TEST(Weakness, GoodKeysHaveNone) {
  for (const std::string_view pem :
       {test_keys::kRsaPublic, test_keys::kP256Public, test_keys::kP384Public, test_keys::kEd25519Public})
    EXPECT_EQ(weakness_of(public_key_from_pem(pem)), "none");
  EXPECT_EQ(weakness_of(rsa_public_key(kModulus, kExponent)), "none");
  EXPECT_EQ(weakness_of(rsa_public_key(kModulus, "\x03")), "none");
}

TEST(Weakness, OtherTypesAreNamed) {
  EXPECT_EQ(weakness_of(public_key_from_pem(test_keys::kP521Public)),
            "is of the type EC secp521r1; RSA, EC P-256, EC P-384 and Ed25519 can be used");
  EXPECT_EQ(weakness_of(public_key_from_pem(test_keys::kRsaPssPublic)),
            "is of the type RSA-PSS; RSA, EC P-256, EC P-384 and Ed25519 can be used");
}

TEST(Weakness, ShortAndEndlessRsaKeys) {
  EXPECT_EQ(weakness_of(public_key_from_pem(test_keys::kWeakRsaPublic)), "has 1024 bits; RSA needs at least 2048");
  EXPECT_EQ(weakness_of(rsa_public_key("\x7F" + kModulus.substr(1), "\x03")), "has 2047 bits; RSA needs at least 2048");
  EXPECT_EQ(weakness_of(rsa_public_key(std::string(2049, '\x7F'), "\x03")),
            "has 16391 bits; at most 16384 can be verified");
}

TEST(Weakness, RsaExponents) {
  using namespace std::string_view_literals;
  EXPECT_EQ(weakness_of(rsa_public_key(kModulus, "\x01")), "has the public exponent 1");
  EXPECT_EQ(weakness_of(rsa_public_key(kModulus, "\x02")), "has an even public exponent");
  EXPECT_EQ(weakness_of(rsa_public_key(kModulus, "\x01\x00\x00"sv)), "has an even public exponent");
  EXPECT_EQ(weakness_of(rsa_public_key(kModulus, "\x01\0\0\0\0\0\0\0\x01"sv)),
            "has a public exponent of more than 64 bits");
}

TEST(Weakness, ARsaModulusWithSmallFactors) {
  EXPECT_EQ(weakness_of(rsa_public_key(std::string(256, '\xFF'), "\x03")), "is not a valid key of its type (RSA)");
}

// A product of two primes of the shape that the generator made, from the Wycheproof vector jws_rsa_roca_key.
TEST(Weakness, ARsaModulusOfTheBrokenGenerator) {
  EXPECT_EQ(
      weakness_of(rsa_public_key(
          *decode_base64url(
              "AanFpofbj7KjD4Lf-N2hVMKR7yewSyXhhbirIMTGpfYEhZ_lnt5UoK98DnKIgArXGTu3MaW_"
              "HhFw16HGaTDUHqPrId7fe4r11CqRw09yBFuW79V8sYIwHdzCaWflUI6auImYbVfoN9_nD5n8N8SY9DwXw7mwZM9wREPXoDPgOoIWl6q_"
              "MPsp7n0zs3Z5ZaiQWOOzl1S9OhwAfSiiOwz6efnXEaxuTEtPd7BjSx7NaFka8Dx9U7YqXy2RFj1O9PjyaDGuRh7YXsX3iMUSP_"
              "wSyHQg_c_qHRtKUsNSGCT7OZg0hzm2KphtjnayKJvC64vAbROBR4Ubg6Bxg9IQVZ-QYyE"),
          kExponent)),
      "comes from a generator whose keys can be factored (CVE-2017-15361)");
}

// Both signs of x where there are two: RFC 8032 keeps it in the top bit.
TEST(Weakness, Ed25519PointsOfSmallOrder) {
  for (const char* point : {"0000000000000000000000000000000000000000000000000000000000000000",
                            "0000000000000000000000000000000000000000000000000000000000000080",
                            "0100000000000000000000000000000000000000000000000000000000000000",
                            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
                            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
                            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
                            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"})
    EXPECT_EQ(weakness_of(ed25519_public_key(from_hex(point))),
              "is a point of small order, for which anyone can make signatures")
        << point;
}

TEST(Weakness, Ed25519TextsThatAreNoPoint) {
  EXPECT_EQ(
      weakness_of(ed25519_public_key(from_hex("0200000000000000000000000000000000000000000000000000000000000000"))),
      "is not a point of the curve Ed25519");
  // p and p + 1 stand for 0 and 1 a second time.
  for (const char* text : {"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                           "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                           "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"})
    EXPECT_EQ(weakness_of(ed25519_public_key(from_hex(text))), "is not encoded as RFC 8032 asks") << text;
}

}  // namespace
}  // namespace carillon::auth
