#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "base/result.hpp"

struct ssl_ctx_st;
struct ssl_st;

namespace carillon::net {

struct TlsOptions {
  std::filesystem::path certificate;  // PEM chain, leaf first
  std::filesystem::path private_key;  // PEM
  bool allow_tls12 = false;           // then with AEAD suites only
};

// Keys that session tickets are sealed with; the same for every shard, so that a ticket of one is good at another.
using TicketKeys = std::array<std::uint8_t, 80>;
[[nodiscard]] TicketKeys make_ticket_keys();

// What a shard needs to answer TLS handshakes. One per shard. Sessions resume only as handshakes: early data is never
// accepted and no identity is remembered (cases.md A9, A10).
class TlsContext {
 public:
  // Fails with a message that names the file: unreadable, not PEM, expired, or a key that does not fit.
  [[nodiscard]] static Result<TlsContext> server(const TlsOptions& options, const TicketKeys& ticket_keys);
  // For our own client commands and benches. `ca_file` empty: trust nothing is checked against, for benches only.
  [[nodiscard]] static Result<TlsContext> client(const std::filesystem::path& ca_file);

  // A connection's state; the caller owns it.
  [[nodiscard]] ssl_st* new_connection() const;
  [[nodiscard]] ssl_ctx_st* get() const { return context_.get(); }

 private:
  struct Free {
    void operator()(ssl_ctx_st* context) const;
  };
  explicit TlsContext(ssl_ctx_st* context) : context_(context) {}
  std::unique_ptr<ssl_ctx_st, Free> context_;
};

}  // namespace carillon::net
