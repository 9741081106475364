#include "load/dial.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "load/socket_address.hpp"

namespace carillon::bench {

namespace {

constexpr int kNarrowBufferBytes = 4096;
constexpr int kNarrowSegmentBytes = 536;

std::unexpected<Error> cannot(const char* what) {
  return fail(ErrorKind::unavailable, std::string("cannot ") + what + ": " + std::strerror(errno));
}

}  // namespace

Result<net::Fd> dial(const net::Endpoint& endpoint, Link link, const std::optional<net::IpAddress>& source) {
  const SocketAddress to(endpoint.address, endpoint.port);
  net::Fd socket(::socket(to.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) return fail(ErrorKind::full, std::string("no socket: ") + std::strerror(errno));
  const int on = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (link == Link::narrow) {
    ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &kNarrowBufferBytes, sizeof kNarrowBufferBytes);
    ::setsockopt(socket.get(), IPPROTO_TCP, TCP_MAXSEG, &kNarrowSegmentBytes, sizeof kNarrowSegmentBytes);
  }
  if (source) {
    // The port is chosen when connecting: so that one can serve for connections to several targets.
    ::setsockopt(socket.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    const SocketAddress from(*source, 0);
    if (::bind(socket.get(), from.get(), from.size()) != 0) return cannot("bind");
  }
  if (::connect(socket.get(), to.get(), to.size()) != 0 && errno != EINPROGRESS) return cannot("connect");
  return socket;
}

int connect_error(int socket) {
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

}  // namespace carillon::bench
