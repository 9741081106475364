#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

struct sockaddr;

namespace carillon::net {

// An IPv4 or IPv6 address. An IPv4-mapped IPv6 address is the IPv4 address.
class IpAddress {
 public:
  IpAddress() = default;
  [[nodiscard]] static Result<IpAddress> parse(std::string_view text);
  [[nodiscard]] static IpAddress of(const sockaddr& address);

  [[nodiscard]] bool is_v4() const { return v4_; }
  [[nodiscard]] bool is_loopback() const;
  [[nodiscard]] std::string text() const;
  // What connections are counted by: the address, for IPv6 its /64, which one host can fill at will.
  [[nodiscard]] std::string limit_key() const;
  [[nodiscard]] std::span<const std::uint8_t> bytes() const { return {bytes_.data(), v4_ ? 4U : 16U}; }
  bool operator==(const IpAddress&) const = default;

 private:
  std::array<std::uint8_t, 16> bytes_{};
  bool v4_ = true;
};

// "10.0.0.0/8", or one address.
class Network {
 public:
  [[nodiscard]] static Result<Network> parse(std::string_view text);
  [[nodiscard]] bool contains(const IpAddress& address) const;

 private:
  IpAddress base_;
  unsigned bits_ = 0;
};

// "127.0.0.1:8443", "[::1]:8443" or "localhost:8443" (the IPv4 loopback).
struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;

  [[nodiscard]] static Result<Endpoint> parse(std::string_view text);
  [[nodiscard]] std::string text() const;
};

// Whose connection it is behind the proxies we trust: the right-most hop of X-Forwarded-For that is not one of them.
// `peer` where it is no proxy of ours, or where the header is absent or malformed.
[[nodiscard]] IpAddress client_address(const IpAddress& peer, std::string_view forwarded_for,
                                       std::span<const Network> trusted_proxies);

}  // namespace carillon::net
