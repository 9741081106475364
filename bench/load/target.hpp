#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "auth/minter.hpp"
#include "base/result.hpp"
#include "net/address.hpp"
#include "net/tls_context.hpp"

namespace carillon::bench {

// The server under load and how to be let in. Immutable; any thread.
class Target {
 public:
  // `endpoint` is HOST:PORT with an address or localhost. `secret`: of HS256, as the server has it; empty: a server
  // that asks for no tokens.
  [[nodiscard]] static Result<Target> load(const std::string& endpoint, const std::filesystem::path& ca_file,
                                           const std::filesystem::path& secret_file);

  [[nodiscard]] const net::Endpoint& endpoint() const { return endpoint_; }
  [[nodiscard]] const net::TlsContext& tls() const { return tls_; }
  // A token good for an hour. Without `scope` the server's default grants. Not without a secret.
  [[nodiscard]] std::string token(const std::string& user, std::optional<std::string> scope = {}) const;

 private:
  Target(net::Endpoint endpoint, net::TlsContext tls, std::optional<auth::Minter> minter)
      : endpoint_(endpoint), tls_(std::move(tls)), minter_(std::move(minter)) {}

  net::Endpoint endpoint_;
  net::TlsContext tls_;
  std::optional<auth::Minter> minter_;
};

}  // namespace carillon::bench
