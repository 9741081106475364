#include "fanout/line.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "load/socket_address.hpp"

namespace carillon::bench {

namespace {

constexpr timeval kPatience{.tv_sec = 10, .tv_usec = 0};

std::unexpected<Error> lost(const std::string& why) {
  return fail(ErrorKind::unavailable, "the publisher's connection: " + why);
}

std::string why_of(const ssl_st* ssl, int result) {
  const int system_error = errno;
  if (SSL_get_error(ssl, result) == SSL_ERROR_SYSCALL && ERR_peek_error() == 0) return std::strerror(system_error);
  const char* reason = ERR_reason_error_string(ERR_peek_error());
  return reason != nullptr ? reason : "ended";
}

}  // namespace

void Line::Free::operator()(ssl_st* ssl) const {
  SSL_free(ssl);
}

Result<Line> Line::open(const net::Endpoint& endpoint, const net::TlsContext* tls) {
  const SocketAddress address(endpoint.address, endpoint.port);
  Line line(net::Fd(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0)));
  const int socket = line.socket_.get(), on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
  if (::connect(socket, address.get(), address.size()) != 0)
    return lost("cannot connect to " + endpoint.text() + ": " + std::strerror(errno));
  if (tls == nullptr) return line;
  if (auto shaken = line.shake_hands(*tls); !shaken) return std::unexpected(shaken.error());
  return line;
}

Result<> Line::shake_hands(const net::TlsContext& tls) {
  ssl_.reset(tls.new_connection());
  SSL_set_fd(ssl_.get(), socket_.get());
  SSL_set_mode(ssl_.get(), SSL_MODE_AUTO_RETRY);
  SSL_clear_mode(ssl_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE);
  ERR_clear_error();
  const int result = SSL_connect(ssl_.get());
  return result == 1 ? Result<>() : lost(why_of(ssl_.get(), result));
}

Result<> Line::send(std::string_view bytes) {
  if (ssl_) {
    ERR_clear_error();
    const int result = SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));
    return result > 0 ? Result<>() : lost(why_of(ssl_.get(), result));
  }
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) return lost(std::strerror(errno));
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

Result<> Line::receive(std::string& into) {
  std::array<char, 16 * 1024> buffer;
  if (ssl_) {
    ERR_clear_error();
    const int got = SSL_read(ssl_.get(), buffer.data(), static_cast<int>(buffer.size()));
    if (got <= 0) return lost(why_of(ssl_.get(), got));
    into.append(buffer.data(), static_cast<std::size_t>(got));
    return {};
  }
  const ssize_t got = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
  if (got == 0) return lost("ended");
  if (got < 0) return lost(std::strerror(errno));
  into.append(buffer.data(), static_cast<std::size_t>(got));
  return {};
}

}  // namespace carillon::bench
