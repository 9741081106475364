#include "auth/minter.hpp"

#include <openssl/bio.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <array>
#include <string_view>
#include <utility>

#include "auth/key.hpp"
#include "auth/key_file.hpp"
#include "auth/public_key.hpp"
#include "auth/release.hpp"
#include "auth/weakness.hpp"
#include "base/base64url.hpp"
#include "base/ensure.hpp"
#include "base/json.hpp"
#include "base/utf8.hpp"

namespace carillon::auth {

namespace {

using EcdsaSignature = std::unique_ptr<ECDSA_SIG, Release<ECDSA_SIG_free>>;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

int no_password(char*, int, int, void*) {
  return -1;
}

Result<EvpKey> private_key_from_pem(std::string_view pem, Algorithm algorithm) {
  const std::unique_ptr<BIO, Release<BIO_free>> input(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  ensure(input != nullptr, "OpenSSL reads from memory");
  EvpKey key(PEM_read_bio_PrivateKey(input.get(), nullptr, no_password, nullptr));
  ERR_clear_error();
  if (key == nullptr) return fail(ErrorKind::invalid, "is not an unencrypted private key in PEM form");
  if (!algorithms_of(key).has(algorithm))
    return fail(ErrorKind::invalid,
                "is of the type " + type_of(key) + ", which does not fit " + std::string(to_string(algorithm)));
  if (auto weak = weakness(key)) return fail(ErrorKind::invalid, std::move(*weak));
  return key;
}

std::string hmac(Algorithm algorithm, std::string_view secret, std::string_view message) {
  std::string mac(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  ensure(HMAC(EVP_get_digestbyname(digest_name(algorithm)), secret.data(), static_cast<int>(secret.size()),
              bytes_of(message), message.size(), reinterpret_cast<unsigned char*>(mac.data()), &size) != nullptr,
         "OpenSSL computes an HMAC");
  mac.resize(size);
  return mac;
}

// The form of RFC 7518 3.4, from the ASN.1 that OpenSSL writes.
std::string side_by_side(std::string_view der, std::size_t half) {
  const unsigned char* begin = bytes_of(der);
  const EcdsaSignature numbers(d2i_ECDSA_SIG(nullptr, &begin, static_cast<long>(der.size())));
  ensure(numbers != nullptr, "OpenSSL reads its own signature");
  std::string text(2 * half, '\0');
  auto* out = reinterpret_cast<unsigned char*>(text.data());
  ensure(BN_bn2binpad(ECDSA_SIG_get0_r(numbers.get()), out, static_cast<int>(half)) >= 0 &&
             BN_bn2binpad(ECDSA_SIG_get0_s(numbers.get()), out + half, static_cast<int>(half)) >= 0,
         "a signature fits its curve");
  return text;
}

std::string sign(Algorithm algorithm, EVP_PKEY* key, std::string_view message) {
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
  ensure(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, bytes_of(message),
                        message.size()) == 1,
         "OpenSSL signs");
  signature.resize(size);
  if (!kEcdsaAlgorithms.has(algorithm)) return signature;
  return side_by_side(signature, static_cast<std::size_t>(EVP_PKEY_get_bits(key)) / 8);
}

void append_member(std::string& object, std::string_view name, std::string_view value) {
  object.push_back(object.empty() ? '{' : ',');
  json::append_string(object, name);
  object.push_back(':');
  json::append_string(object, value);
}

std::string header_of(Algorithm algorithm, std::string_view kid) {
  std::string header;
  append_member(header, "alg", to_string(algorithm));
  append_member(header, "typ", "JWT");
  if (!kid.empty()) append_member(header, "kid", kid);
  return header + "}";
}

std::string claims_of(const TokenRequest& request, WallTime now) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch());
  std::string claims;
  append_member(claims, request.user_claim, request.user_id);
  if (request.scope) append_member(claims, request.scope_claim, *request.scope);
  if (!request.issuer.empty()) append_member(claims, "iss", request.issuer);
  if (!request.audience.empty()) append_member(claims, "aud", request.audience);
  return claims + ",\"iat\":" + std::to_string(seconds.count()) +
         ",\"exp\":" + std::to_string((seconds + request.lifetime).count()) + "}";
}

bool is_text(const TokenRequest& request) {
  return is_utf8(request.user_id) && is_utf8(request.scope.value_or("")) && is_utf8(request.issuer) &&
         is_utf8(request.audience) && is_utf8(request.user_claim) && is_utf8(request.scope_claim);
}

}  // namespace

// One of the two, by algorithm.
struct Minter::Key {
  Secret secret_file;
  EvpKey private_key;
};

Minter::Minter(Algorithm algorithm, std::string kid, std::unique_ptr<const Key> key)
    : algorithm_(algorithm), kid_(std::move(kid)), key_(std::move(key)) {}
Minter::~Minter() = default;
Minter::Minter(Minter&&) noexcept = default;
Minter& Minter::operator=(Minter&&) noexcept = default;

Result<Minter> Minter::load(Algorithm algorithm, const std::filesystem::path& key_file, std::string kid) {
  auto file = read_key_file(key_file);
  if (!file) return std::unexpected(std::move(file.error()));
  const auto refuse = [&](const std::string& why) {
    return fail(ErrorKind::invalid, "key file " + key_file.string() + " " + why);
  };
  if (!is_utf8(kid)) return fail(ErrorKind::invalid, "the kid is not UTF-8");
  if (kHmacAlgorithms.has(algorithm)) {
    if (const auto usable = auth::Key::from_secret(secret_in(*file), {algorithm}); !usable)
      return refuse(usable.error().message);
    return Minter(algorithm, std::move(kid), std::make_unique<const Key>(std::move(*file), nullptr));
  }
  auto key = private_key_from_pem(file->view(), algorithm);
  if (!key) return refuse(key.error().message);
  return Minter(algorithm, std::move(kid), std::make_unique<const Key>(Secret(), std::move(*key)));
}

Result<std::string> Minter::mint(const TokenRequest& request, WallTime now) const {
  if (!is_text(request)) return fail(ErrorKind::invalid, "a token's texts must be UTF-8");
  std::string token;
  append_base64url(token, header_of(algorithm_, kid_));
  token.push_back('.');
  append_base64url(token, claims_of(request, now));
  const std::string signature = key_->private_key != nullptr ? sign(algorithm_, key_->private_key.get(), token)
                                                             : hmac(algorithm_, secret_in(key_->secret_file), token);
  token.push_back('.');
  append_base64url(token, signature);
  return token;
}

}  // namespace carillon::auth
