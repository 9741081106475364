#include "auth/evp_key.hpp"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include <array>
#include <cstddef>
#include <string>

#include "auth/openssl_types.hpp"
#include "base/ensure.hpp"

namespace carillon::auth {

namespace {

using MemoryInput = std::unique_ptr<BIO, Release<BIO_free>>;
using Number = std::unique_ptr<BIGNUM, Release<BN_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, Release<OSSL_PARAM_free>>;
using ParametersBuilder = std::unique_ptr<OSSL_PARAM_BLD, Release<OSSL_PARAM_BLD_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Release<EVP_PKEY_CTX_free>>;

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

// OpenSSL would ask for a password at the terminal.
int no_password(char*, int, int, void*) {
  return -1;
}

// Null when the parameters are no key of that type.
EvpKey key_from(const char* type, OSSL_PARAM* parameters) {
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  ensure(context != nullptr && EVP_PKEY_fromdata_init(context.get()) == 1, "OpenSSL has the key type");
  EVP_PKEY* key = nullptr;
  const bool is_key = EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters) == 1;
  ERR_clear_error();
  return EvpKey(is_key ? key : nullptr);
}

Number number_from(std::string_view big_endian) {
  return Number(BN_bin2bn(octets(big_endian), static_cast<int>(big_endian.size()), nullptr));
}

std::string group_of(const EvpKey& key) {
  std::array<char, 64> name{};
  std::size_t size = 0;
  if (EVP_PKEY_get_group_name(key.get(), name.data(), name.size(), &size) != 1) {
    ERR_clear_error();
    return "of another curve";
  }
  const std::string_view group(name.data(), size);
  if (group == "prime256v1") return "P-256";
  if (group == "secp384r1") return "P-384";
  return std::string(group);
}

}  // namespace

void EvpKeyDeleter::operator()(evp_pkey_st* key) const {
  EVP_PKEY_free(key);
}

Result<PublicKey> public_key_from_pem(std::string_view pem) {
  if (pem.find("PRIVATE KEY-----") != std::string_view::npos)
    return fail(ErrorKind::invalid, "is a private key; give its public key (openssl pkey -pubout)");
  if (pem.find("BEGIN CERTIFICATE-----") != std::string_view::npos)
    return fail(ErrorKind::invalid, "is a certificate; give its public key (openssl x509 -pubkey -noout)");
  if (count(pem, "-----BEGIN ") > 1) return fail(ErrorKind::invalid, "holds more than one key; give one file per key");
  const MemoryInput input(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  ensure(input != nullptr, "OpenSSL reads from memory");
  PublicKey key(PEM_read_bio_PUBKEY(input.get(), nullptr, no_password, nullptr));
  ERR_clear_error();
  if (key == nullptr) return fail(ErrorKind::invalid, "is not a public key in PEM form (-----BEGIN PUBLIC KEY-----)");
  return key;
}

Result<EvpKey> private_key_from_pem(std::string_view pem) {
  const MemoryInput input(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  ensure(input != nullptr, "OpenSSL reads from memory");
  EvpKey key(PEM_read_bio_PrivateKey(input.get(), nullptr, no_password, nullptr));
  ERR_clear_error();
  if (key == nullptr) return fail(ErrorKind::invalid, "is not an unencrypted private key in PEM form");
  return key;
}

Result<PublicKey> rsa_public_key(std::string_view modulus, std::string_view exponent) {
  static constexpr std::size_t kBytesMax = 4096;  // what is longer than OpenSSL verifies with is refused as weakness
  if (modulus.size() > kBytesMax || exponent.size() > kBytesMax) return fail(ErrorKind::invalid, "is too long");
  const Number n = number_from(modulus);
  const Number e = number_from(exponent);
  const ParametersBuilder builder(OSSL_PARAM_BLD_new());
  ensure(builder != nullptr && OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) == 1 &&
             OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) == 1,
         "OpenSSL takes two numbers");
  const Parameters parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  PublicKey key = key_from("RSA", parameters.get());
  if (key == nullptr) return fail(ErrorKind::invalid, "is not an RSA key");
  return key;
}

Result<PublicKey> ec_public_key(const char* group, std::string_view x, std::string_view y) {
  const std::size_t field_bytes = std::string_view(group) == "P-384" ? 48 : 32;
  if (x.size() != field_bytes || y.size() != field_bytes)
    return fail(ErrorKind::invalid, "must have x and y of " + std::to_string(field_bytes) + " bytes each");
  std::string point = "\x04";  // SEC 1 2.3.3: uncompressed
  point.append(x).append(y);
  std::string name = group;
  std::array parameters = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, name.data(), name.size()),
                           OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
                           OSSL_PARAM_construct_end()};
  PublicKey key = key_from("EC", parameters.data());
  if (key == nullptr) return fail(ErrorKind::invalid, "has a point that is not on the curve " + name);
  return key;
}

Result<PublicKey> ed25519_public_key(std::string_view x) {
  PublicKey key(EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr, octets(x), x.size()));
  ERR_clear_error();
  if (key == nullptr) return fail(ErrorKind::invalid, "is not an Ed25519 key");
  return key;
}

AlgorithmSet algorithms_of(const EvpKey& key) {
  const std::string type = type_of(key);
  if (type == "RSA") return kRsaAlgorithms;
  if (type == "EC P-256") return {Algorithm::es256};
  if (type == "EC P-384") return {Algorithm::es384};
  if (type == "Ed25519") return {Algorithm::eddsa};
  return {};
}

std::string type_of(const EvpKey& key) {
  if (EVP_PKEY_is_a(key.get(), "RSA") == 1) return "RSA";
  if (EVP_PKEY_is_a(key.get(), "EC") == 1) return "EC " + group_of(key);
  if (EVP_PKEY_is_a(key.get(), "ED25519") == 1) return "Ed25519";
  const char* name = EVP_PKEY_get0_type_name(key.get());
  return name != nullptr ? name : "unknown";
}

}  // namespace carillon::auth
