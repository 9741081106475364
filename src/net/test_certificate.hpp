#pragma once

#include <filesystem>
#include <string>

#include "net/tls_context.hpp"

namespace carillon::net {

// A folder of its own, gone with its owner.
class TestFolder {
 public:
  TestFolder();
  ~TestFolder();
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  [[nodiscard]] std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  // Writes a file and tells its path.
  [[nodiscard]] std::filesystem::path write(const std::string& name, const std::string& text) const;

 private:
  std::filesystem::path path_;
};

struct TestCertificateOptions {
  bool expired = false;
  std::string password{};  // of the private key; empty: not encrypted
};

// Makes NAME.pem and NAME.key: a self-signed certificate for localhost (ECDSA P-256), its own authority.
[[nodiscard]] TlsOptions make_test_certificate(const TestFolder& folder, const std::string& name,
                                               const TestCertificateOptions& options = {});

}  // namespace carillon::net
