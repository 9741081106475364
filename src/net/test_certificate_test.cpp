#include "net/test_certificate.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <system_error>

#include "base/ensure.hpp"

namespace carillon::net {

namespace {

using PrivateKey = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using File = std::unique_ptr<std::FILE, decltype(&std::fclose)>;

File open_for_writing(const std::filesystem::path& path) {
  File file(std::fopen(path.c_str(), "w"), &std::fclose);
  ensure(file != nullptr, "the test folder can be written");
  return file;
}

void add_extension(X509* certificate, int kind, const char* value) {
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

Certificate sign_for_itself(EVP_PKEY* key, bool expired) {
  constexpr long kDay = 24L * 3600;
  Certificate certificate(X509_new(), &X509_free);
  X509* const x509 = certificate.get();
  X509_set_version(x509, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
  X509_gmtime_adj(X509_getm_notBefore(x509), -2 * kDay);
  X509_gmtime_adj(X509_getm_notAfter(x509), expired ? -kDay : kDay);
  static constexpr unsigned char kName[] = "localhost";
  X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_ASC, kName, -1, -1, 0);
  X509_set_issuer_name(x509, X509_get_subject_name(x509));
  add_extension(x509, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
  add_extension(x509, NID_basic_constraints, "critical,CA:TRUE");
  X509_set_pubkey(x509, key);
  ensure(X509_sign(x509, key, EVP_sha256()) > 0, "OpenSSL signs a certificate");
  return certificate;
}

}  // namespace

TestFolder::TestFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "carillon-test-XXXXXX").string();
  ensure(::mkdtemp(name.data()) != nullptr, "there is room for a temporary folder");
  path_ = name;
}

TestFolder::~TestFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::filesystem::path TestFolder::write(const std::string& name, const std::string& text) const {
  std::ofstream(path_ / name, std::ios::binary) << text;
  return path_ / name;
}

TlsOptions make_test_certificate(const TestFolder& folder, const std::string& name,
                                 const TestCertificateOptions& options) {
  const TlsOptions files{.certificate = folder / (name + ".pem"), .private_key = folder / (name + ".key")};
  const PrivateKey key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  const Certificate certificate = sign_for_itself(key.get(), options.expired);
  PEM_write_X509(open_for_writing(files.certificate).get(), certificate.get());
  PEM_write_PKCS8PrivateKey(open_for_writing(files.private_key).get(), key.get(),
                            options.password.empty() ? nullptr : EVP_aes_256_cbc(), options.password.data(),
                            static_cast<int>(options.password.size()), nullptr, nullptr);
  return files;
}

namespace {

TEST(TestCertificate, LeavesNothingBehind) {
  std::filesystem::path certificate;
  {
    const TestFolder folder;
    certificate = make_test_certificate(folder, "server").certificate;
    EXPECT_GT(std::filesystem::file_size(certificate), 0U);
  }
  EXPECT_FALSE(std::filesystem::exists(certificate.parent_path()));
}

}  // namespace
}  // namespace carillon::net
