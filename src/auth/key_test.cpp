#include "auth/key.hpp"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include <algorithm>
#include <array>

#include "auth/signing_for_tests.hpp"

namespace carillon::auth {
namespace {

using namespace test_keys;

std::string refusal(const Result<Key>& key) {
  return key ? "accepted" : key.error().message;
}

TEST(Key, SignaturesOfEveryAlgorithmAreAcceptedByTheirKeyAlone) {
  const std::vector<Key> keys = one_of_each();
  for (const Algorithm algorithm : kAlgorithms) {
    const std::string signature = signing_key(algorithm).sign("message");
    int accepting = 0;
    for (const Key& key : keys) {
      EXPECT_EQ(key.accepts(algorithm, "message", signature), key.serves(algorithm)) << to_string(algorithm);
      accepting += key.serves(algorithm) ? 1 : 0;
    }
    EXPECT_EQ(accepting, 1) << to_string(algorithm);
  }
}

TEST(Key, AnyChangeOfMessageOrSignatureIsRefused) {
  const std::vector<Key> keys = one_of_each();
  const auto is_accepted = [&](Algorithm algorithm, std::string_view message, std::string_view signature) {
    return std::ranges::any_of(keys, [&](const Key& key) { return key.accepts(algorithm, message, signature); });
  };
  for (const Algorithm algorithm : kAlgorithms) {
    const std::string signature = signing_key(algorithm).sign("message");
    ASSERT_TRUE(is_accepted(algorithm, "message", signature));
    EXPECT_FALSE(is_accepted(algorithm, "messagE", signature));
    EXPECT_FALSE(is_accepted(algorithm, "message ", signature));
    EXPECT_FALSE(is_accepted(algorithm, "", signature));
    for (std::size_t i = 0; i < signature.size(); i += 7) {
      std::string changed = signature;
      changed[i] = static_cast<char>(changed[i] ^ 1);
      EXPECT_FALSE(is_accepted(algorithm, "message", changed)) << to_string(algorithm) << " byte " << i;
    }
    for (const std::string& changed : {std::string(), signature.substr(1), signature.substr(0, signature.size() - 1),
                                       signature + '\0', '\0' + signature, std::string(signature.size(), '\0')})
      EXPECT_FALSE(is_accepted(algorithm, "message", changed)) << to_string(algorithm) << " size " << changed.size();
  }
}

TEST(Key, AnotherKeyOfTheSameTypeIsRefused) {
  const std::string signature = signing_key(Algorithm::es256, kOtherP256Private).sign("message");
  EXPECT_TRUE(public_key(kOtherP256Public).accepts(Algorithm::es256, "message", signature));
  EXPECT_FALSE(public_key(kP256Public).accepts(Algorithm::es256, "message", signature));
}

TEST(Key, ServesOnlyWhatIsWanted) {
  const Key key = public_key(kRsaPublic, {Algorithm::rs256, Algorithm::es256});
  for (const Algorithm algorithm : kAlgorithms) EXPECT_EQ(key.serves(algorithm), algorithm == Algorithm::rs256);
  EXPECT_FALSE(key.accepts(Algorithm::ps256, "message", signing_key(Algorithm::ps256).sign("message")));
  EXPECT_TRUE(public_key(kRsaPublic, {Algorithm::hs256}).is_unused());
}

// PKCS#1 and PSS signatures of one RSA key are not each other's, nor are the hashes.
TEST(Key, RsaSchemesAndHashesAreNotMixed) {
  const Key key = public_key(kRsaPublic);
  for (const Algorithm made : kAlgorithms)
    for (const Algorithm read : kAlgorithms)
      if (kRsaAlgorithms.has(made) && kRsaAlgorithms.has(read))
        EXPECT_EQ(key.accepts(read, "message", signing_key(made).sign("message")), made == read)
            << to_string(made) << " read as " << to_string(read);
}

TEST(Key, SecretsMustBeAsLongAsTheHash) {
  const auto secret = [](std::size_t size, AlgorithmSet wanted) {
    return Key::from_secret(std::string(size, 's'), wanted);
  };
  EXPECT_EQ(refusal(secret(31, {Algorithm::hs256})), "has 31 bytes; HS256 needs at least 32");
  EXPECT_EQ(refusal(secret(0, {Algorithm::hs256})), "has 0 bytes; HS256 needs at least 32");
  EXPECT_EQ(refusal(secret(47, {Algorithm::hs384})), "has 47 bytes; HS384 needs at least 48");
  EXPECT_EQ(refusal(secret(63, {Algorithm::hs512})), "has 63 bytes; HS512 needs at least 64");
  EXPECT_EQ(refusal(secret(31, {Algorithm::es256})), "has 31 bytes; HS256 needs at least 32");
  EXPECT_TRUE(secret(32, {Algorithm::es256})->is_unused());
}

TEST(Key, ASecretServesTheHashesItIsLongEnoughFor) {
  const auto serves = [](std::size_t size) {
    const Key key = Key::from_secret(std::string(size, 's'), kEveryAlgorithm).value();
    return std::array{key.serves(Algorithm::hs256), key.serves(Algorithm::hs384), key.serves(Algorithm::hs512)};
  };
  EXPECT_EQ(serves(32), (std::array{true, false, false}));
  EXPECT_EQ(serves(48), (std::array{true, true, false}));
  EXPECT_EQ(serves(64), (std::array{true, true, true}));
}

TEST(Key, WeakPublicKeysAreRefused) {
  const auto weak = public_key_from_pem(kWeakRsaPublic);
  EXPECT_EQ(refusal(Key::from_public_key(*weak, kEveryAlgorithm)), "has 1024 bits; RSA needs at least 2048");
  EXPECT_EQ(refusal(Key::from_public_key(*weak, {Algorithm::es256})), "has 1024 bits; RSA needs at least 2048");
}

// TLS on the same thread reads OpenSSL's error queue to tell what happened to a connection.
TEST(Key, ARefusedSignatureLeavesTheErrorQueueAsItWas) {
  ERR_clear_error();
  for (const Key& key : one_of_each())
    for (const Algorithm algorithm : kAlgorithms) {
      std::string changed = signing_key(algorithm).sign("message");
      changed.back() = static_cast<char>(changed.back() ^ 1);
      EXPECT_FALSE(key.accepts(algorithm, "message", changed));
      EXPECT_FALSE(key.accepts(algorithm, "message", std::string(changed.size(), '\0')));
      EXPECT_EQ(ERR_peek_error(), 0U);
    }
  const Key key = public_key(kRsaPublic);
  ERR_raise(ERR_LIB_USER, 1);
  EXPECT_FALSE(key.accepts(Algorithm::rs256, "message", std::string(256, '\x11')));
  EXPECT_NE(ERR_peek_error(), 0U);
  ERR_clear_error();
}

}  // namespace
}  // namespace carillon::auth
