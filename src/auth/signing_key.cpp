#include "auth/signing_key.hpp"

#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#include <cstddef>
#include <memory>
#include <utility>

#include "auth/key.hpp"
#include "auth/key_file.hpp"
#include "auth/openssl_types.hpp"
#include "auth/weakness.hpp"
#include "base/base64url.hpp"
#include "base/ensure.hpp"

namespace carillon::auth {

namespace {

using EcdsaSignature = std::unique_ptr<ECDSA_SIG, Release<ECDSA_SIG_free>>;

Result<EvpKey> read_private_key(std::string_view pem, Algorithm algorithm) {
  auto key = private_key_from_pem(pem);
  if (!key) return key;
  if (!algorithms_of(*key).has(algorithm))
    return fail(ErrorKind::invalid,
                "is of the type " + type_of(*key) + ", which does not fit " + std::string(to_string(algorithm)));
  if (auto weak = weakness(*key)) return fail(ErrorKind::invalid, std::move(*weak));
  return key;
}

std::string hmac(Algorithm algorithm, std::string_view secret, std::string_view message) {
  std::string mac(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  ensure(HMAC(EVP_get_digestbyname(digest_name(algorithm)), secret.data(), static_cast<int>(secret.size()),
              octets(message), message.size(), reinterpret_cast<unsigned char*>(mac.data()), &size) != nullptr,
         "OpenSSL computes an HMAC");
  mac.resize(size);
  return mac;
}

// The form of RFC 7518 3.4, from the ASN.1 that OpenSSL writes.
std::string side_by_side(std::string_view der, std::size_t half) {
  const unsigned char* begin = octets(der);
  const EcdsaSignature numbers(d2i_ECDSA_SIG(nullptr, &begin, static_cast<long>(der.size())));
  ensure(numbers != nullptr, "OpenSSL reads its own signature");
  std::string text(2 * half, '\0');
  auto* out = reinterpret_cast<unsigned char*>(text.data());
  ensure(BN_bn2binpad(ECDSA_SIG_get0_r(numbers.get()), out, static_cast<int>(half)) >= 0 &&
             BN_bn2binpad(ECDSA_SIG_get0_s(numbers.get()), out + half, static_cast<int>(half)) >= 0,
         "a signature fits its curve");
  return text;
}

std::string sign_with(Algorithm algorithm, EVP_PKEY* key, std::string_view message) {
  const std::unique_ptr<EVP_MD_CTX, Release<EVP_MD_CTX_free>> context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* parameters = nullptr;  // belongs to context
  ensure(context != nullptr && EVP_DigestSignInit_ex(context.get(), &parameters, digest_name(algorithm), nullptr,
                                                     nullptr, key, nullptr) == 1,
         "OpenSSL has the algorithm of the key");
  if (kPssAlgorithms.has(algorithm))
    ensure(EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1,
           "OpenSSL has RSA-PSS");
  std::size_t size = static_cast<std::size_t>(EVP_PKEY_get_size(key));
  std::string signature(size, '\0');
  ensure(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, octets(message),
                        message.size()) == 1,
         "OpenSSL signs");
  signature.resize(size);
  if (!kEcdsaAlgorithms.has(algorithm)) return signature;
  return side_by_side(signature, static_cast<std::size_t>(EVP_PKEY_get_bits(key)) / 8);
}

}  // namespace

SigningKey::SigningKey(Algorithm algorithm, Secret secret_file, EvpKey private_key)
    : algorithm_(algorithm), secret_file_(std::move(secret_file)), private_key_(std::move(private_key)) {}

Result<SigningKey> SigningKey::read(Algorithm algorithm, Secret file) {
  if (!kHmacAlgorithms.has(algorithm)) {
    auto key = read_private_key(file.view(), algorithm);
    if (!key) return std::unexpected(std::move(key.error()));
    return SigningKey(algorithm, Secret(), std::move(*key));
  }
  const auto usable = Key::from_secret(secret_in(file), {algorithm});
  if (!usable) return std::unexpected(usable.error());
  return SigningKey(algorithm, std::move(file), nullptr);
}

std::string SigningKey::sign(std::string_view message) const {
  if (private_key_ != nullptr) return sign_with(algorithm_, private_key_.get(), message);
  return hmac(algorithm_, secret_in(secret_file_), message);
}

std::string signed_compact(const SigningKey& key, std::string_view header, std::string_view payload) {
  std::string token;
  append_base64url(token, header);
  token.push_back('.');
  append_base64url(token, payload);
  const std::string signature = key.sign(token);
  token.push_back('.');
  append_base64url(token, signature);
  return token;
}

}  // namespace carillon::auth
