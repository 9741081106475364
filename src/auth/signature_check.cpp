#include "auth/signature_check.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <array>
#include <cstddef>
#include <span>
#include <utility>

#include "auth/openssl_types.hpp"
#include "base/ensure.hpp"

namespace carillon::auth {

namespace {

using MacContext = std::unique_ptr<EVP_MAC_CTX, Release<EVP_MAC_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Release<EVP_MD_CTX_free>>;
using EcdsaSignature = std::unique_ptr<ECDSA_SIG, Release<ECDSA_SIG_free>>;

// A refused signature is no error of this thread, so what OpenSSL noted about it is taken back.
class ErrorMark {
 public:
  ErrorMark() { ERR_set_mark(); }
  ~ErrorMark() { ERR_pop_to_mark(); }
  ErrorMark(const ErrorMark&) = delete;
  ErrorMark& operator=(const ErrorMark&) = delete;
};

// Both checks keep a context that is ready but for the message, and copy it for each call: fetching the algorithms anew
// costs 3 to 4 µs a call with OpenSSL 3.0 and takes its global locks.

class HmacCheck final : public SignatureCheck {
 public:
  HmacCheck(Algorithm algorithm, std::string_view secret) {
    const std::unique_ptr<EVP_MAC, Release<EVP_MAC_free>> hmac(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
    ensure(hmac != nullptr, "OpenSSL has HMAC");
    std::string digest = digest_name(algorithm);
    const std::array parameters = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
                                   OSSL_PARAM_construct_end()};
    ready_.reset(EVP_MAC_CTX_new(hmac.get()));
    ensure(ready_ != nullptr && EVP_MAC_init(ready_.get(), octets(secret), secret.size(), parameters.data()) == 1,
           "OpenSSL accepts the secret for HMAC");
  }

  bool accepts(std::string_view message, std::string_view signature) const override {
    const MacContext context(EVP_MAC_CTX_dup(ready_.get()));
    std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
    std::size_t size = 0;
    ensure(context != nullptr && EVP_MAC_update(context.get(), octets(message), message.size()) == 1 &&
               EVP_MAC_final(context.get(), mac.data(), &size, mac.size()) == 1,
           "OpenSSL computes an HMAC");
    return signature.size() == size && CRYPTO_memcmp(mac.data(), signature.data(), size) == 0;
  }

 private:
  MacContext ready_;
};

class PublicKeyCheck final : public SignatureCheck {
 public:
  PublicKeyCheck(Algorithm algorithm, EVP_PKEY* key)
      : ready_(EVP_MD_CTX_new()),
        is_ecdsa_(kEcdsaAlgorithms.has(algorithm)),
        signature_size_(signature_size(algorithm, key)) {
    EVP_PKEY_CTX* parameters = nullptr;  // belongs to ready_
    ensure(ready_ != nullptr && EVP_DigestVerifyInit_ex(ready_.get(), &parameters, digest_name(algorithm), nullptr,
                                                        nullptr, key, nullptr) == 1,
           "OpenSSL has the algorithm of the key");
    // RFC 7518 3.5: the salt is as long as the hash, and MGF1 uses the same hash, which is OpenSSL's default.
    if (kPssAlgorithms.has(algorithm))
      ensure(EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1 &&
                 EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1,
             "OpenSSL has RSA-PSS");
  }

  bool accepts(std::string_view message, std::string_view signature) const override {
    // OpenSSL itself takes an RSA-PSS signature whose leading zero bytes are left out.
    if (signature.size() != signature_size_) return false;
    const ErrorMark mark;
    return is_ecdsa_ ? accepts_ecdsa(message, signature) : accepts_bytes(message, {octets(signature), signature_size_});
  }

 private:
  static std::size_t signature_size(Algorithm algorithm, EVP_PKEY* key) {
    if (kEcdsaAlgorithms.has(algorithm)) return 2 * (static_cast<std::size_t>(EVP_PKEY_get_bits(key)) / 8);
    return static_cast<std::size_t>(EVP_PKEY_get_size(key));
  }

  bool accepts_bytes(std::string_view message, std::span<const unsigned char> signature) const {
    const DigestContext context(EVP_MD_CTX_new());
    ensure(context != nullptr && EVP_MD_CTX_copy_ex(context.get(), ready_.get()) == 1, "OpenSSL copies a context");
    return EVP_DigestVerify(context.get(), signature.data(), signature.size(), octets(message), message.size()) == 1;
  }

  // JWS writes r and s at full width, side by side; OpenSSL reads the ASN.1 form.
  bool accepts_ecdsa(std::string_view message, std::string_view signature) const {
    const std::size_t half = signature.size() / 2;
    const auto number = [](std::string_view part) {
      return BN_bin2bn(octets(part), static_cast<int>(part.size()), nullptr);
    };
    const EcdsaSignature numbers(ECDSA_SIG_new());
    ensure(numbers != nullptr &&
               ECDSA_SIG_set0(numbers.get(), number(signature.substr(0, half)), number(signature.substr(half))) == 1,
           "OpenSSL holds two numbers");
    std::array<unsigned char, 128> der{};  // P-384 needs at most 104
    unsigned char* end = der.data();
    const int size = i2d_ECDSA_SIG(numbers.get(), &end);
    return size > 0 && accepts_bytes(message, {der.data(), static_cast<std::size_t>(size)});
  }

  DigestContext ready_;
  bool is_ecdsa_;
  std::size_t signature_size_;
};

}  // namespace

std::unique_ptr<const SignatureCheck> hmac_check(Algorithm algorithm, std::string_view secret) {
  return std::make_unique<const HmacCheck>(algorithm, secret);
}

std::unique_ptr<const SignatureCheck> public_key_check(Algorithm algorithm, const PublicKey& key) {
  return std::make_unique<const PublicKeyCheck>(algorithm, key.get());
}

}  // namespace carillon::auth
