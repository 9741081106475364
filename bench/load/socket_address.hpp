#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <cstring>

#include "net/address.hpp"

namespace carillon::bench {

// An address and a port as bind(2) and connect(2) take them.
class SocketAddress {
 public:
  SocketAddress(const net::IpAddress& address, std::uint16_t port) : is_v4_(address.is_v4()) {
    v4_.sin_family = AF_INET;
    v6_.sin6_family = AF_INET6;
    v4_.sin_port = v6_.sin6_port = htons(port);
    const auto bytes = address.bytes();
    std::memcpy(is_v4_ ? static_cast<void*>(&v4_.sin_addr) : static_cast<void*>(&v6_.sin6_addr), bytes.data(),
                bytes.size());
  }

  [[nodiscard]] int family() const { return is_v4_ ? AF_INET : AF_INET6; }
  [[nodiscard]] const sockaddr* get() const {
    return is_v4_ ? reinterpret_cast<const sockaddr*>(&v4_) : reinterpret_cast<const sockaddr*>(&v6_);
  }
  [[nodiscard]] socklen_t size() const { return static_cast<socklen_t>(is_v4_ ? sizeof v4_ : sizeof v6_); }

 private:
  bool is_v4_;
  sockaddr_in v4_{};
  sockaddr_in6 v6_{};
};

}  // namespace carillon::bench
