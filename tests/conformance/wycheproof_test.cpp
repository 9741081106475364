#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "auth/jwks.hpp"
#include "auth/key.hpp"
#include "auth/key_set.hpp"
#include "auth/signed_token.hpp"
#include "auth/signing_for_tests.hpp"
#include "base/json.hpp"
#include "vectors.hpp"

// The attack vectors of C2SP/wycheproof against our keys, signatures and tokens: what is marked invalid is refused,
// what is marked valid is accepted, but for the named exceptions.
namespace carillon::auth {
namespace {

using test_keys::kEveryAlgorithm;

std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  return bytes;
}

// One vector: `group` has the key.
struct Vector {
  json::Value group;
  json::Value test;

  int id() const { return std::stoi(std::string(test.find("tcId")->text())); }
  std::string_view result() const { return test.find_string("result").value(); }
  std::string bytes(std::string_view member) const { return from_hex(test.find_string(member).value()); }
};

class Wycheproof : public testing::Test {
 protected:
  void SetUp() override {
    const auto folder = vectors_folder();
    if (!folder || !std::filesystem::is_directory(*folder / "wycheproof"))
      GTEST_SKIP() << "no Wycheproof vectors: set CARILLON_VECTORS";
    folder_ = *folder / "wycheproof";
  }

  // Holds `is_accepted` to the result that every vector of the file names. A result of "acceptable" leaves it open.
  // `exceptions`: vectors for which we decide against the mark, and why.
  void expect_all(const char* file, int count, const std::function<bool(const Vector&)>& is_accepted,
                  const std::map<int, const char*>& exceptions = {}) const {
    const json::Limits limits{.depth_max = 32, .members_max = 64, .values_max = 1'000'000};
    const auto document = json::Document::parse(read_vectors(folder_ / file), limits);
    ASSERT_TRUE(document) << document.error().message;
    int seen = 0;
    const json::Value groups = document->root().find("testGroups").value();
    for (const json::Value group : groups) {
      const json::Value tests = group.find("tests").value();
      for (const json::Value test : tests) {
        const Vector vector{group, test};
        ++seen;
        const bool must_accept = (vector.result() == "valid") != exceptions.contains(vector.id());
        const bool accepted = is_accepted(vector);
        if (vector.result() == "acceptable") continue;
        EXPECT_EQ(accepted, must_accept) << file << " " << vector.id() << ": "
                                         << test.find_string("comment").value_or("");
      }
    }
    EXPECT_EQ(seen, count);
  }

  // The vectors of one algorithm on raw messages, whose group has the key as PEM.
  void expect_signatures(const char* file, int count, Algorithm algorithm) const {
    std::map<std::string, Key, std::less<>> keys;  // checking an RSA key takes longer than many signatures
    expect_all(file, count, [&](const Vector& vector) {
      const std::string_view pem = vector.group.find_string("publicKeyPem").value();
      if (!keys.contains(pem)) keys.emplace(pem, test_keys::public_key(pem, {algorithm}));
      return keys.find(pem)->second.accepts(algorithm, vector.bytes("msg"), vector.bytes("sig"));
    });
  }

 private:
  std::filesystem::path folder_;
};

// The group's keys as a JWK Set: the public ones where it has them, else the secret ones.
std::string jwks_of(const json::Value& group) {
  const auto published = group.find("public");
  const json::Value keys = published ? *published : *group.find("private");
  std::string text;
  keys.append_to(text);
  return keys.find("keys") ? text : R"({"keys":[)" + text + "]}";
}

// Opens tokens with the keys of their groups, each read once. Keys that cannot be loaded accept nothing.
class GroupKeys {
 public:
  bool opens(const json::Value& group, std::string_view token) {
    const auto [at, is_new] = sets_.try_emplace(jwks_of(group));
    if (is_new)
      if (auto jwks = read_jwks(at->first, kEveryAlgorithm)) at->second.emplace(kEveryAlgorithm, std::move(jwks->keys));
    return at->second && open_signed_token(token, *at->second, 8192);
  }

 private:
  std::map<std::string, std::optional<KeySet>> sets_;
};

TEST_F(Wycheproof, JsonWebSignatures) {
  const char* bound = "PS384 by a key whose own alg says PS256: RFC 8725 3.1 binds a key to one algorithm";
  const char* not_ours = "ES512 is not among the algorithms of protocol 2.1";
  // Their marks are exchanged: 367 and 370 are the bytes of 357, which is valid; the other two have a '?' among the
  // base64.
  const char* same_as_357 = "the bytes of 357, which is valid";
  const char* alphabet = "a '?' that RFC 7515 2 does not know";
  GroupKeys keys;
  expect_all("json_web_signature_test.json", 401,
             [&](const Vector& vector) { return keys.opens(vector.group, vector.test.find_string("jws").value()); },
             {{346, bound},
              {350, bound},
              {347, not_ours},
              {351, not_ours},
              {367, same_as_357},
              {370, same_as_357},
              {372, alphabet},
              {373, alphabet}});
}

TEST_F(Wycheproof, JsonWebKeys) {
  GroupKeys keys;
  expect_all("json_web_key_test.json", 26,
             [&](const Vector& vector) { return keys.opens(vector.group, vector.test.find_string("jws").value()); });
}

// None is for us, whether it decrypts or not.
TEST_F(Wycheproof, JsonWebEncryption) {
  const KeySet ours(kEveryAlgorithm, test_keys::one_of_each());
  GroupKeys theirs;
  int accepted = 0;
  expect_all("json_web_encryption_test.json", 139, [&](const Vector& vector) {
    const std::string_view token = vector.test.find_string("jwe").value();
    if (open_signed_token(token, ours, 8192) || theirs.opens(vector.group, token)) ++accepted;
    return vector.result() == "valid";
  });
  EXPECT_EQ(accepted, 0);
}

TEST_F(Wycheproof, Ed25519) {
  expect_signatures("ed25519_test.json", 151, Algorithm::eddsa);
}

TEST_F(Wycheproof, EcdsaP256) {
  expect_signatures("ecdsa_secp256r1_sha256_p1363_test.json", 262, Algorithm::es256);
}

TEST_F(Wycheproof, EcdsaP384) {
  expect_signatures("ecdsa_secp384r1_sha384_p1363_test.json", 280, Algorithm::es384);
}

TEST_F(Wycheproof, RsaPkcs1) {
  expect_signatures("rsa_signature_2048_sha256_test.json", 259, Algorithm::rs256);
}

TEST_F(Wycheproof, RsaPss) {
  expect_signatures("rsa_pss_2048_sha256_mgf1_32_test.json", 108, Algorithm::ps256);
}

// A tag cut to 16 bytes and a key of 16 bytes are valid HMAC, but neither is HS256 (RFC 7518 3.2).
TEST_F(Wycheproof, HmacSha256) {
  const auto number = [](const json::Value& group, std::string_view member) { return group.find(member)->text(); };
  int refused_by_decision = 0;
  expect_all("hmac_sha256_test.json", 174, [&](const Vector& vector) {
    const auto key = Key::from_secret(vector.bytes("key"), {Algorithm::hs256});
    const bool accepted = key && key->accepts(Algorithm::hs256, vector.bytes("msg"), vector.bytes("tag"));
    const bool is_hs256 = number(vector.group, "tagSize") == "256" && number(vector.group, "keySize") != "128";
    if (is_hs256) return accepted;
    EXPECT_FALSE(accepted) << vector.id();
    ++refused_by_decision;
    return vector.result() == "valid";
  });
  EXPECT_EQ(refused_by_decision, 54 + 27 + 6 + 3);
}

}  // namespace
}  // namespace carillon::auth
