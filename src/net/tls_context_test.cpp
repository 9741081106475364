#include "net/tls_context.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "net/test_certificate.hpp"

namespace carillon::net {
namespace {

class TlsFiles : public ::testing::Test {
 protected:
  // What is said when these files are refused; empty when they are taken.
  [[nodiscard]] static std::string refusal(const TlsOptions& files) {
    const auto context = TlsContext::server(files, make_ticket_keys());
    if (context) return {};
    EXPECT_EQ(context.error().kind, ErrorKind::invalid);
    return context.error().message;
  }
  static void expect_refused(const TlsOptions& files, const std::filesystem::path& blamed, const std::string& why) {
    const std::string said = refusal(files);
    EXPECT_TRUE(said.starts_with(blamed.string() + ": ")) << said;
    EXPECT_NE(said.find(why), std::string::npos) << said;
  }
  static std::string text_of(const std::filesystem::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  TestFolder folder_;
  TlsOptions good_ = make_test_certificate(folder_, "good");
};

TEST_F(TlsFiles, TakesACertificateWithItsKey) {
  EXPECT_EQ(refusal(good_), "");
}

// cases.md A16
TEST_F(TlsFiles, NamesTheFileThatIsMissing) {
  expect_refused({.certificate = folder_ / "none.pem", .private_key = good_.private_key}, folder_ / "none.pem",
                 "No such file");
  expect_refused({.certificate = good_.certificate, .private_key = folder_ / "none.key"}, folder_ / "none.key",
                 "No such file");
}

TEST_F(TlsFiles, NamesTheFileThatIsBroken) {
  const auto broken = folder_.write("broken", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  const auto empty = folder_.write("empty", "");
  const auto cut = folder_.write("cut", text_of(good_.certificate).substr(0, 200));
  for (const auto& bad : {broken, empty, cut, good_.private_key})
    expect_refused({.certificate = bad, .private_key = good_.private_key}, bad, "cannot be used as a certificate");
  for (const auto& bad : {broken, empty, good_.certificate})
    expect_refused({.certificate = good_.certificate, .private_key = bad}, bad, "cannot be used as the private key");
}

TEST_F(TlsFiles, RefusesAKeyOfAnotherCertificate) {
  const TlsOptions other = make_test_certificate(folder_, "other");
  const std::string said = refusal({.certificate = good_.certificate, .private_key = other.private_key});
  EXPECT_TRUE(said.starts_with(other.private_key.string() + ": ")) << said;
}

TEST_F(TlsFiles, RefusesAnExpiredCertificate) {
  const TlsOptions old = make_test_certificate(folder_, "old", {.expired = true});
  expect_refused(old, old.certificate, "has expired");
}

// A server has nobody to ask for a password, and must not wait for one.
TEST_F(TlsFiles, RefusesAnEncryptedKeyWithoutAsking) {
  const TlsOptions locked = make_test_certificate(folder_, "locked", {.password = "secret"});
  expect_refused(locked, locked.private_key, "cannot be used as the private key");
}

TEST_F(TlsFiles, NamesTheAuthorityThatIsBroken) {
  const auto missing = TlsContext::client(folder_ / "none.pem");
  ASSERT_FALSE(missing);
  EXPECT_TRUE(missing.error().message.starts_with((folder_ / "none.pem").string() + ": ")) << missing.error().message;
  EXPECT_FALSE(TlsContext::client(good_.private_key));
  EXPECT_TRUE(TlsContext::client(good_.certificate));
}

TEST(TicketKeys, AreNeverTheSame) {
  EXPECT_NE(make_ticket_keys(), make_ticket_keys());
}

}  // namespace
}  // namespace carillon::net
