#include "auth/evp_key.hpp"

#include <gtest/gtest.h>

#include <string>

#include "auth/test_keys.hpp"

namespace carillon::auth {
namespace {

TEST(EvpKey, EachPublicKeyServesTheAlgorithmsOfItsTypeOnly) {
  const auto algorithms = [](std::string_view pem) { return algorithms_of(public_key_from_pem(pem).value()); };
  EXPECT_EQ(algorithms(test_keys::kRsaPublic), kRsaAlgorithms);
  EXPECT_EQ(algorithms(test_keys::kP256Public), AlgorithmSet{Algorithm::es256});
  EXPECT_EQ(algorithms(test_keys::kP384Public), AlgorithmSet{Algorithm::es384});
  EXPECT_EQ(algorithms(test_keys::kEd25519Public), AlgorithmSet{Algorithm::eddsa});
  EXPECT_TRUE(algorithms(test_keys::kP521Public).empty());
  EXPECT_TRUE(algorithms(test_keys::kRsaPssPublic).empty());
}

TEST(EvpKey, TypesHaveNamesForPeople) {
  const auto type = [](std::string_view pem) { return type_of(public_key_from_pem(pem).value()); };
  EXPECT_EQ(type(test_keys::kRsaPublic), "RSA");
  EXPECT_EQ(type(test_keys::kP256Public), "EC P-256");
  EXPECT_EQ(type(test_keys::kP521Public), "EC secp521r1");
  EXPECT_EQ(type(test_keys::kRsaPssPublic), "RSA-PSS");
}

TEST(EvpKey, WhatIsNoSinglePublicKeyIsRefusedWithAdvice) {
  const auto refusal = [](std::string_view pem) {
    const auto key = public_key_from_pem(pem);
    return key ? "accepted" : key.error().message;
  };
  EXPECT_NE(refusal(test_keys::kRsaPrivate).find("is a private key"), std::string::npos);
  EXPECT_NE(refusal(test_keys::kP256Encrypted).find("is a private key"), std::string::npos);
  EXPECT_NE(refusal(test_keys::kCertificate).find("is a certificate"), std::string::npos);
  const std::string two = std::string(test_keys::kP256Public) + std::string(test_keys::kEd25519Public);
  EXPECT_NE(refusal(two).find("more than one key"), std::string::npos);
  std::string damaged(test_keys::kP256Public);
  damaged[60] = damaged[60] == 'A' ? 'B' : 'A';
  for (const std::string_view bad : {std::string_view(""), std::string_view("ssh-ed25519 AAAA"),
                                     std::string_view("-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n"),
                                     test_keys::kP256Public.substr(0, 100), std::string_view(damaged)})
    EXPECT_NE(refusal(bad).find("is not a public key"), std::string::npos) << bad;
}

TEST(EvpKey, PrivateKeysAreReadUnlessEncrypted) {
  EXPECT_EQ(type_of(private_key_from_pem(test_keys::kP256Private).value()), "EC P-256");
  EXPECT_FALSE(private_key_from_pem(test_keys::kP256Public));
  EXPECT_FALSE(private_key_from_pem(test_keys::kP256Encrypted));
  EXPECT_FALSE(private_key_from_pem("nothing"));
}

TEST(EvpKey, PartsOfAnotherSizeAreNoKey) {
  const std::string part(32, 'x');
  EXPECT_FALSE(ec_public_key("P-256", part + "x", part));
  EXPECT_FALSE(ec_public_key("P-256", part.substr(1), part));
  EXPECT_FALSE(ec_public_key("P-384", part, part));
  EXPECT_FALSE(ed25519_public_key(part + "x"));
  EXPECT_FALSE(ed25519_public_key(""));
  EXPECT_FALSE(rsa_public_key(std::string(5000, 'x'), "\x01"));
}

TEST(EvpKey, APointOffTheCurveIsNoKey) {
  const auto key = ec_public_key("P-256", std::string(32, '\x01'), std::string(32, '\x02'));
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().message, "has a point that is not on the curve P-256");
}

}  // namespace
}  // namespace carillon::auth
