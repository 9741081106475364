#include "auth/key_set.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "auth/signing_for_tests.hpp"
#include "auth/temporary_files.hpp"

namespace carillon::auth {
namespace {

using namespace test_keys;

// What a set answers to an ES256 signature by the owner of kP256Private.
std::string_view verdict(const KeySet& set, std::optional<std::string_view> kid) {
  static const std::string signature = signing_key(Algorithm::es256).sign("message");
  const auto checked = set.check(Algorithm::es256, kid, "message", signature);
  return checked ? "accepted" : checked.error().code;
}

TEST(KeySet, AKidChoosesAmongNamedKeys) {
  const KeySet set(kEveryAlgorithm,
                   keys_of(named(public_key(kOtherP256Public), "other"), named(public_key(kP256Public), "ours")));
  EXPECT_EQ(verdict(set, "ours"), "accepted");
  EXPECT_EQ(verdict(set, "other"), "invalid_signature");
  EXPECT_EQ(verdict(set, "third"), "unknown_key");
  EXPECT_EQ(verdict(set, "our"), "unknown_key");
  EXPECT_EQ(verdict(set, ""), "unknown_key");
  EXPECT_EQ(verdict(set, std::string_view("ours\0", 5)), "unknown_key");
}

TEST(KeySet, WithoutAKidEveryKeyThatFitsIsTried) {
  const KeySet set(kEveryAlgorithm, keys_of(public_key(kRsaPublic), named(public_key(kOtherP256Public), "other"),
                                            named(public_key(kP256Public), "ours")));
  EXPECT_EQ(verdict(set, std::nullopt), "accepted");
}

TEST(KeySet, AKeyWithoutAKidFitsAnyToken) {
  const KeySet set(kEveryAlgorithm, keys_of(named(public_key(kOtherP256Public), "other"), public_key(kP256Public)));
  EXPECT_EQ(verdict(set, "whatever"), "accepted");
  EXPECT_EQ(verdict(set, "other"), "accepted");
}

TEST(KeySet, AKidDoesNotOverrideTheTypeOfItsKey) {
  const KeySet set(kEveryAlgorithm,
                   keys_of(named(public_key(kRsaPublic), "ours"), named(public_key(kP384Public), "x")));
  EXPECT_EQ(verdict(set, "ours"), "unknown_key");
  EXPECT_EQ(verdict(set, std::nullopt), "unknown_key");
}

TEST(KeySet, AnAlgorithmThatIsNotEnabledIsRefusedWhateverTheKeys) {
  const KeySet set({Algorithm::rs256}, keys_of(public_key(kP256Public)));
  EXPECT_EQ(verdict(set, std::nullopt), "unsupported_algorithm");
}

TEST(KeySet, TriesABoundedNumberOfKeys) {
  const auto set_with_ours_after = [](std::size_t others) {
    std::vector<Key> keys;
    keys.reserve(others + 1);
    for (std::size_t i = 0; i < others; ++i) keys.push_back(public_key(kOtherP256Public));
    keys.push_back(public_key(kP256Public));
    return KeySet(kEveryAlgorithm, std::move(keys));
  };
  EXPECT_EQ(verdict(set_with_ours_after(KeySet::kTriesMax - 1), std::nullopt), "accepted");
  EXPECT_EQ(verdict(set_with_ours_after(KeySet::kTriesMax), std::nullopt), "unknown_key");
}

class LoadedKeySet : public testing::Test {
 protected:
  // The error's message; empty when the files make a set.
  std::string error(const Options& options) const {
    const auto set = KeySet::load(options);
    return set ? "" : set.error().message;
  }

  void expect_error(const Options& options, const std::filesystem::path& file, std::string_view what) const {
    EXPECT_EQ(error(options), "key file " + file.string() + " " + std::string(what));
  }

  TemporaryFiles files_;
};

TEST_F(LoadedKeySet, ServesWhatItsFilesHold) {
  Options options;
  options.algorithms = {kAlgorithms.begin(), kAlgorithms.end()};
  options.hmac_secret_file = files_.write("secret", std::string(kLongSecret) + "\n");
  options.public_key_files = {files_.write("rsa", kRsaPublic), files_.write("p384", kP384Public),
                              files_.write("ed", kEd25519Public)};
  options.jwks_file = files_.write(
      "jwks",
      R"({"keys":[{"kty":"EC","crv":"P-256","kid":"e","x":"OaulNQKhksiNXZyAENvJlaNFYPteUkRBGCODaH0U5Qs","y":"rRsaZ19IM4HzUb4JYzFkZff-pKgcBl6JxFHhqTmPh1k"}]})");
  const auto set = KeySet::load(options);
  ASSERT_TRUE(set) << set.error().message;
  for (const Algorithm algorithm : kAlgorithms)
    EXPECT_TRUE((*set)->check(algorithm, "e", "message", signing_key(algorithm).sign("message")))
        << to_string(algorithm);
}

TEST_F(LoadedKeySet, WeakKeysAreRefusedByFile) {
  Options options;
  options.hmac_secret_file = files_.write("hmac", std::string(31, 's') + "\n");
  expect_error(options, options.hmac_secret_file, "has 31 bytes; HS256 needs at least 32");

  options = {.algorithms = {Algorithm::rs256}, .public_key_files = {files_.write("weak", kWeakRsaPublic)}};
  expect_error(options, options.public_key_files[0], "has 1024 bits; RSA needs at least 2048");

  options = {.algorithms = {Algorithm::rs256},
             .jwks_file = files_.write("jwks", R"({"keys":[{"kty":"oct","k":"c2hvcnQ"}]})")};
  expect_error(options, options.jwks_file, "key 1 has 5 bytes; HS256 needs at least 32");
}

// Also where the weak key would not be used: it is there by mistake.
TEST_F(LoadedKeySet, WeakKeysAreRefusedUnasked) {
  const Options options{.algorithms = {Algorithm::es256},
                        .hmac_secret_file = files_.write("hmac", "short"),
                        .public_key_files = {files_.write("p256", kP256Public)}};
  expect_error(options, options.hmac_secret_file, "has 5 bytes; HS256 needs at least 32");
}

TEST_F(LoadedKeySet, PrivateKeysAndForeignFilesAreRefusedByFile) {
  Options options{.algorithms = {Algorithm::es256}, .public_key_files = {files_.write("private", kP256Private)}};
  expect_error(options, options.public_key_files[0], "is a private key; give its public key (openssl pkey -pubout)");
  options.public_key_files = {files_.write("p521", kP521Public)};
  expect_error(options, options.public_key_files[0],
               "is of the type EC secp521r1; RSA, EC P-256, EC P-384 and Ed25519 can be used");
  options.public_key_files = {files_.path("absent")};
  EXPECT_EQ(error(options), "cannot read key file " + files_.path("absent").string() + ": No such file or directory");
}

TEST_F(LoadedKeySet, AnEnabledAlgorithmWithoutAKeyIsAnError) {
  Options options;
  EXPECT_EQ(error(options),
            "the algorithm HS256 is enabled but no key serves it; it needs a secret of at least 32 bytes");
  options.hmac_secret_file = files_.write("secret", kSecret);
  EXPECT_EQ(error(options), "");
  const std::vector<std::pair<Algorithm, std::string>> needs = {
      {Algorithm::hs384, "a secret of at least 48 bytes"},
      {Algorithm::hs512, "a secret of at least 64 bytes"},
      {Algorithm::rs256, "an RSA public key of at least 2048 bits"},
      {Algorithm::ps512, "an RSA public key of at least 2048 bits"},
      {Algorithm::es256, "an EC P-256 public key"},
      {Algorithm::es384, "an EC P-384 public key"},
      {Algorithm::eddsa, "an Ed25519 public key"}};
  for (const auto& [algorithm, need] : needs) {
    options.algorithms = {Algorithm::hs256, algorithm};
    EXPECT_EQ(error(options), "the algorithm " + std::string(to_string(algorithm)) +
                                  " is enabled but no key serves it; it needs " + need);
  }
}

TEST_F(LoadedKeySet, SomeAlgorithmMustBeEnabled) {
  EXPECT_EQ(error({.algorithms = {}}), "no algorithm is enabled, so no token could be accepted");
}

TEST_F(LoadedKeySet, KeysThatNoAlgorithmUsesAreNoError) {
  const Options options{.algorithms = {Algorithm::es256},
                        .hmac_secret_file = files_.write("secret", kSecret),
                        .public_key_files = {files_.write("rsa", kRsaPublic), files_.write("p256", kP256Public)}};
  EXPECT_EQ(error(options), "");
}

TEST_F(LoadedKeySet, AtMostAHundredKeys) {
  const auto file = files_.write("p256", kP256Public);
  Options options{.algorithms = {Algorithm::es256}, .public_key_files = std::vector(KeySet::kKeysMax, file)};
  EXPECT_EQ(error(options), "");
  options.public_key_files.push_back(file);
  EXPECT_EQ(error(options), "more than 100 keys to verify tokens with");
}

}  // namespace
}  // namespace carillon::auth
