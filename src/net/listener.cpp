#include "net/listener.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <fstream>

namespace carillon::net {

namespace {

// Beyond what is under way to the peer. More would only be late: what waits, waits in the hub's window, where it costs
// a number.
constexpr int kNotSentBytes = 64 * 1024;

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = sizeof(sockaddr_storage);

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

SocketAddress socket_address(const Endpoint& endpoint) {
  SocketAddress result;
  const auto bytes = endpoint.address.bytes();
  if (endpoint.address.is_v4()) {
    auto& v4 = reinterpret_cast<sockaddr_in&>(result.storage);
    v4.sin_family = AF_INET;
    v4.sin_port = htons(endpoint.port);
    std::memcpy(&v4.sin_addr, bytes.data(), bytes.size());
    result.size = sizeof(sockaddr_in);
  } else {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(result.storage);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(endpoint.port);
    std::memcpy(&v6.sin6_addr, bytes.data(), bytes.size());
    result.size = sizeof(sockaddr_in6);
  }
  return result;
}

std::unexpected<Error> cannot_listen(const Endpoint& endpoint, int error) {
  const std::string why = error == EADDRINUSE ? "the port is taken by another process" : std::strerror(error);
  return fail(ErrorKind::unavailable, "cannot listen on " + endpoint.text() + ": " + why);
}

Result<> set_congestion_control(const Fd& socket, const std::string& name) {
  if (::setsockopt(socket.get(), IPPROTO_TCP, TCP_CONGESTION, name.data(), static_cast<socklen_t>(name.size())) == 0)
    return {};
  std::ifstream file("/proc/sys/net/ipv4/tcp_available_congestion_control");
  std::string available;
  std::getline(file, available);
  return fail(ErrorKind::invalid, "cannot be \"" + name + "\" (" + std::strerror(errno) + "); available: " + available);
}

Result<Fd> bind_to(const Endpoint& endpoint, bool share) {
  Fd socket(::socket(endpoint.address.is_v4() ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int on = 1;
  SocketAddress address = socket_address(endpoint);
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (share) ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  if (!socket.is_open() || ::bind(socket.get(), address.get(), address.size) != 0)
    return cannot_listen(endpoint, errno);
  return socket;
}

}  // namespace

Result<Fd> listen_on(const Endpoint& endpoint, const ListenOptions& options) {
  auto socket = bind_to(endpoint, options.share);
  if (!socket) return socket;
  const int on = 1;
  ::setsockopt(socket->get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(socket->get(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kNotSentBytes, sizeof kNotSentBytes);
  if (!options.congestion_control.empty())
    if (auto set = set_congestion_control(*socket, options.congestion_control); !set)
      return std::unexpected(set.error());
  if (::listen(socket->get(), 4096) != 0) return cannot_listen(endpoint, errno);
  return socket;
}

Result<> ensure_port_is_free(const Endpoint& endpoint) {
  auto socket = bind_to(endpoint, false);
  if (!socket) return std::unexpected(socket.error());
  return {};
}

Result<> check_congestion_control(const std::string& name) {
  const Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return set_congestion_control(socket, name);
}

Endpoint bound_endpoint(const Fd& socket) {
  SocketAddress address;
  ::getsockname(socket.get(), address.get(), &address.size);
  Endpoint endpoint;
  endpoint.address = IpAddress::of(*address.get());
  endpoint.port =
      ntohs(address.storage.ss_family == AF_INET ? reinterpret_cast<sockaddr_in&>(address.storage).sin_port
                                                 : reinterpret_cast<sockaddr_in6&>(address.storage).sin6_port);
  return endpoint;
}

}  // namespace carillon::net
