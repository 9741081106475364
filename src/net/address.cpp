#include "net/address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/number.hpp"

namespace carillon::net {

namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

Result<IpAddress> IpAddress::parse(std::string_view text) {
  const std::string copy(text);
  in_addr v4{};
  if (::inet_pton(AF_INET, copy.c_str(), &v4) == 1) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr = v4;
    return of(reinterpret_cast<const sockaddr&>(address));
  }
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  if (copy.size() == text.size() && ::inet_pton(AF_INET6, copy.c_str(), &address.sin6_addr) == 1)
    return of(reinterpret_cast<const sockaddr&>(address));
  return fail(ErrorKind::invalid, "not an IP address");
}

IpAddress IpAddress::of(const sockaddr& address) {
  IpAddress result;
  if (address.sa_family == AF_INET) {
    std::memcpy(result.bytes_.data(), &reinterpret_cast<const sockaddr_in&>(address).sin_addr, 4);
    return result;
  }
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&v6)) {
    std::memcpy(result.bytes_.data(), v6.s6_addr + 12, 4);
    return result;
  }
  result.v4_ = false;
  std::memcpy(result.bytes_.data(), &v6, 16);
  return result;
}

bool IpAddress::is_loopback() const {
  if (v4_) return bytes_[0] == 127;
  return std::all_of(bytes_.begin(), bytes_.end() - 1, [](std::uint8_t b) { return b == 0; }) && bytes_[15] == 1;
}

std::string IpAddress::text() const {
  std::array<char, INET6_ADDRSTRLEN> out{};
  ::inet_ntop(v4_ ? AF_INET : AF_INET6, bytes_.data(), out.data(), out.size());
  return out.data();
}

std::string IpAddress::limit_key() const {
  return std::string(reinterpret_cast<const char*>(bytes_.data()), v4_ ? 4 : 8);
}

Result<Network> Network::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto base = IpAddress::parse(text.substr(0, slash));
  if (!base) return std::unexpected(base.error());
  Network network;
  network.base_ = *base;
  network.bits_ = base->is_v4() ? 32 : 128;
  if (slash == std::string_view::npos) return network;
  const auto bits = parse_number<unsigned>(text.substr(slash + 1));
  if (!bits || *bits > network.bits_) return fail(ErrorKind::invalid, "not a network prefix length");
  network.bits_ = *bits;
  return network;
}

bool Network::contains(const IpAddress& address) const {
  if (address.is_v4() != base_.is_v4()) return false;
  const auto ours = base_.bytes();
  const auto theirs = address.bytes();
  for (unsigned bit = 0; bit < bits_; bit += 8) {
    const unsigned left = std::min(8U, bits_ - bit);
    const auto mask = static_cast<std::uint8_t>(0xFF00U >> left);
    if (((ours[bit / 8] ^ theirs[bit / 8]) & mask) != 0) return false;
  }
  return true;
}

Result<Endpoint> Endpoint::parse(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return fail(ErrorKind::invalid, "no port: expected ADDRESS:PORT");
  std::string_view host = text.substr(0, colon);
  const auto port = parse_number<std::uint16_t>(text.substr(colon + 1));
  if (!port) return fail(ErrorKind::invalid, "the port is not a number from 0 to 65535");
  if (host == "localhost") host = "127.0.0.1";
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  else if (host.find(':') != std::string_view::npos)
    return fail(ErrorKind::invalid, "an IPv6 address needs brackets: [::1]:8443");
  auto address = IpAddress::parse(host);
  if (!address) return std::unexpected(address.error());
  return Endpoint{*address, *port};
}

std::string Endpoint::text() const {
  const std::string host = address.is_v4() ? address.text() : "[" + address.text() + "]";
  return host + ":" + std::to_string(port);
}

IpAddress client_address(const IpAddress& peer, std::string_view forwarded_for,
                         std::span<const Network> trusted_proxies) {
  const auto is_trusted = [&](const IpAddress& address) {
    return std::any_of(trusted_proxies.begin(), trusted_proxies.end(),
                       [&](const Network& network) { return network.contains(address); });
  };
  IpAddress nearest = peer;
  // Each hop vouches for the one to its left, as long as we trust it.
  while (is_trusted(nearest) && !forwarded_for.empty()) {
    const std::size_t comma = forwarded_for.rfind(',');
    const std::size_t start = comma == std::string_view::npos ? 0 : comma + 1;
    const auto hop = IpAddress::parse(trimmed(forwarded_for.substr(start)));
    if (!hop) return peer;
    nearest = *hop;
    forwarded_for = comma == std::string_view::npos ? std::string_view{} : forwarded_for.substr(0, comma);
  }
  return nearest;
}

}  // namespace carillon::net
