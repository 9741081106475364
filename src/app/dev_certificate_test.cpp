#include "app/dev_certificate.hpp"

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>

namespace carillon::app {
namespace {

constexpr std::chrono::days kDay{1};
const WallTime kNow = ManualClock().wall_now();

std::shared_ptr<X509> certificate(const std::string& pem) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())),
                                                      &BIO_free);
  return {PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), &X509_free};
}

// Whether a client that trusts `authority` accepts `server` as a TLS server at that time.
bool is_trusted(const std::string& server, const std::string& authority, WallTime at) {
  const auto leaf = certificate(server);
  const auto root = certificate(authority);
  const std::unique_ptr<X509_STORE, decltype(&X509_STORE_free)> store(X509_STORE_new(), &X509_STORE_free);
  X509_STORE_add_cert(store.get(), root.get());
  const std::unique_ptr<X509_STORE_CTX, decltype(&X509_STORE_CTX_free)> context(X509_STORE_CTX_new(),
                                                                                &X509_STORE_CTX_free);
  X509_STORE_CTX_init(context.get(), store.get(), leaf.get(), nullptr);
  X509_STORE_CTX_set_default(context.get(), "ssl_server");
  X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(context.get()), X509_V_FLAG_X509_STRICT);
  X509_STORE_CTX_set_time(context.get(), 0, std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count());
  return X509_verify_cert(context.get()) == 1;
}

struct Pairs {
  CertifiedKey authority = *make_authority(kNow);
  CertifiedKey server = *make_server_certificate(authority, kNow);
};

TEST(DevCertificate, IsTrustedByWhoTrustsTheAuthorityForNinetyDays) {
  const Pairs made;
  EXPECT_TRUE(is_trusted(made.server.certificate, made.authority.certificate, kNow));
  EXPECT_TRUE(is_trusted(made.server.certificate, made.authority.certificate, kNow + 89 * kDay));
  EXPECT_FALSE(is_trusted(made.server.certificate, made.authority.certificate, kNow + 91 * kDay));
  EXPECT_FALSE(is_trusted(made.server.certificate, make_authority(kNow)->certificate, kNow));
}

TEST(DevCertificate, NamesThisMachineOnly) {
  const Pairs made;
  const auto leaf = certificate(made.server.certificate);
  EXPECT_EQ(X509_check_host(leaf.get(), "localhost", 0, 0, nullptr), 1);
  EXPECT_EQ(X509_check_ip_asc(leaf.get(), "127.0.0.1", 0), 1);
  EXPECT_EQ(X509_check_ip_asc(leaf.get(), "::1", 0), 1);
  EXPECT_EQ(X509_check_host(leaf.get(), "example.com", 0, 0, nullptr), 0);
}

TEST(DevCertificate, IsUsableUntilItExpiresAndWithItsOwnKeyOnly) {
  const Pairs made;
  EXPECT_TRUE(is_usable(made.server, kNow, 7));
  EXPECT_TRUE(is_usable(made.server, kNow + 82 * kDay, 7));
  EXPECT_FALSE(is_usable(made.server, kNow + 84 * kDay, 7));
  EXPECT_FALSE(is_usable(made.server, kNow - 1 * kDay, 7));
  EXPECT_TRUE(is_usable(made.authority, kNow + 3600 * kDay, 7));
  EXPECT_FALSE(is_usable({made.server.certificate, made.authority.private_key}, kNow, 7));
  EXPECT_FALSE(is_usable({"", ""}, kNow, 7));
  EXPECT_FALSE(is_usable({"garbage", made.server.private_key}, kNow, 7));
}

TEST(DevCertificate, KnowsWhoSignedIt) {
  const Pairs made;
  EXPECT_TRUE(is_signed_by(made.server.certificate, made.authority.certificate));
  EXPECT_FALSE(is_signed_by(made.server.certificate, make_authority(kNow)->certificate));
  EXPECT_FALSE(is_signed_by("", made.authority.certificate));
}

TEST(DevCertificate, NeedsAnAuthority) {
  const auto made = make_server_certificate({"garbage", "garbage"}, kNow);
  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().kind, ErrorKind::invalid);
}

}  // namespace
}  // namespace carillon::app
