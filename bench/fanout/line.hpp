#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "net/address.hpp"
#include "net/fd.hpp"
#include "net/tls_context.hpp"

namespace carillon::bench {

// A connection to where a peer is published at, with TLS or without. One thread; its calls wait, for ten seconds at
// most.
class Line {
 public:
  // `tls` null: clear text. It outlives the line.
  [[nodiscard]] static Result<Line> open(const net::Endpoint& endpoint, const net::TlsContext* tls);

  // All of it.
  [[nodiscard]] Result<> send(std::string_view bytes);
  // Appends what comes next, at least a byte.
  [[nodiscard]] Result<> receive(std::string& into);

 private:
  struct Free {
    void operator()(ssl_st* ssl) const;
  };

  explicit Line(net::Fd socket) : socket_(std::move(socket)) {}
  [[nodiscard]] Result<> shake_hands(const net::TlsContext& tls);

  net::Fd socket_;
  std::unique_ptr<ssl_st, Free> ssl_;  // null: clear text
};

}  // namespace carillon::bench
