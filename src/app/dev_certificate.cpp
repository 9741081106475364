#include "app/dev_certificate.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>
#include <chrono>
#include <ctime>
#include <memory>

namespace carillon::app {
namespace {

template <auto free>
struct Freeing {
  void operator()(auto* object) const { free(object); }
};
using Bio = std::unique_ptr<BIO, Freeing<BIO_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freeing<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freeing<X509_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Freeing<X509_EXTENSION_free>>;

constexpr int kAuthorityDays = 3650;
constexpr int kServerDays = 90;

std::time_t seconds_of(WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

Bio reading(std::string_view pem) {
  return Bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

Certificate read_certificate(std::string_view pem) {
  return Certificate(PEM_read_bio_X509(reading(pem).get(), nullptr, nullptr, nullptr));
}

Key read_key(std::string_view pem) {
  // An empty password instead of a question on the terminal.
  static char no_password[] = "";
  return Key(PEM_read_bio_PrivateKey(reading(pem).get(), nullptr, nullptr, no_password));
}

std::string text_of(const Bio& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

std::string pem_of(X509& certificate) {
  const Bio bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), &certificate);
  return text_of(bio);
}

std::string pem_of(const EVP_PKEY& key) {
  const Bio bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_PKCS8PrivateKey(bio.get(), &key, nullptr, nullptr, 0, nullptr, nullptr);
  return text_of(bio);
}

struct ExtensionText {
  int nid;
  const char* value;
};

bool add_extensions(X509& certificate, X509& issuer, std::initializer_list<ExtensionText> texts) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, &issuer, &certificate, nullptr, nullptr, 0);
  for (const ExtensionText& text : texts) {
    const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, text.nid, text.value));
    if (!extension || X509_add_ext(&certificate, extension.get(), -1) != 1) return false;
  }
  return true;
}

bool set_random_serial(X509& certificate) {
  std::array<unsigned char, 16> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) return false;
  bytes[0] &= 0x7f;  // RFC 5280 4.1.2.2: positive
  bytes[0] |= 0x40;
  const std::unique_ptr<BIGNUM, Freeing<BN_free>> number(
      BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
  return BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(&certificate)) != nullptr;
}

bool set_validity(X509& certificate, WallTime now, int days) {
  std::time_t start = seconds_of(now);
  // An hour back, for whoever's clock is behind.
  return X509_time_adj_ex(X509_getm_notBefore(&certificate), 0, -3600, &start) != nullptr &&
         X509_time_adj_ex(X509_getm_notAfter(&certificate), days, 0, &start) != nullptr;
}

bool set_name(X509& certificate, const char* name) {
  return X509_NAME_add_entry_by_txt(X509_get_subject_name(&certificate), "CN", MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(name), -1, -1, 0) == 1;
}

struct Plan {
  const char* name;
  int days;
  std::initializer_list<ExtensionText> extensions;
};

// Signed by the issuer, or by itself where there is none.
Result<CertifiedKey> make_certificate(const Plan& plan, WallTime now, X509* issuer, EVP_PKEY* issuer_key) {
  const auto refuse = [] {
    ERR_clear_error();
    return fail(ErrorKind::internal, "OpenSSL could not make a certificate");
  };
  const Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  const Certificate certificate(X509_new());
  if (!key || !certificate) return refuse();
  X509& made = *certificate;
  X509& signer = issuer != nullptr ? *issuer : made;
  const bool is_made = X509_set_version(&made, X509_VERSION_3) == 1 && set_random_serial(made) &&
                       set_validity(made, now, plan.days) && set_name(made, plan.name) &&
                       X509_set_issuer_name(&made, X509_get_subject_name(&signer)) == 1 &&
                       X509_set_pubkey(&made, key.get()) == 1 && add_extensions(made, signer, plan.extensions) &&
                       X509_sign(&made, issuer_key != nullptr ? issuer_key : key.get(), EVP_sha256()) > 0;
  if (!is_made) return refuse();
  return CertifiedKey{pem_of(made), pem_of(*key)};
}

}  // namespace

Result<CertifiedKey> make_authority(WallTime now) {
  const Plan plan{.name = "Carillon development authority",
                  .days = kAuthorityDays,
                  .extensions = {{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
                                 {NID_key_usage, "critical,keyCertSign,cRLSign"},
                                 {NID_subject_key_identifier, "hash"}}};
  return make_certificate(plan, now, nullptr, nullptr);
}

Result<CertifiedKey> make_server_certificate(const CertifiedKey& authority, WallTime now) {
  const Certificate issuer = read_certificate(authority.certificate);
  const Key issuer_key = read_key(authority.private_key);
  if (!issuer || !issuer_key) return fail(ErrorKind::invalid, "the authority is not readable");
  const Plan plan{.name = "localhost",
                  .days = kServerDays,
                  .extensions = {{NID_basic_constraints, "critical,CA:FALSE"},
                                 {NID_key_usage, "critical,digitalSignature"},
                                 {NID_ext_key_usage, "serverAuth"},
                                 {NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1"},
                                 {NID_subject_key_identifier, "hash"},
                                 {NID_authority_key_identifier, "keyid:always"}}};
  return make_certificate(plan, now, issuer.get(), issuer_key.get());
}

bool is_usable(const CertifiedKey& pair, WallTime now, int days) {
  const Certificate certificate = read_certificate(pair.certificate);
  const Key key = read_key(pair.private_key);
  bool is_good = certificate && key && X509_check_private_key(certificate.get(), key.get()) == 1;
  if (is_good) {
    std::time_t start = seconds_of(now);
    std::time_t end = start + std::time_t{86400} * days;
    is_good = X509_cmp_time(X509_get0_notBefore(certificate.get()), &start) < 0 &&
              X509_cmp_time(X509_get0_notAfter(certificate.get()), &end) > 0;
  }
  ERR_clear_error();
  return is_good;
}

bool is_signed_by(std::string_view certificate, std::string_view authority) {
  const Certificate signed_one = read_certificate(certificate);
  const Certificate signer = read_certificate(authority);
  const bool is_good = signed_one && signer && X509_verify(signed_one.get(), X509_get0_pubkey(signer.get())) == 1;
  ERR_clear_error();
  return is_good;
}

}  // namespace carillon::app
