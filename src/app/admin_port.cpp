#include "app/admin_port.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "app/client_socket.hpp"

namespace carillon::app {
namespace {

constexpr milliseconds kAnswerPatience{10'000};
constexpr std::size_t kReplyBytesMax = 16 * 1024 * 1024;

std::unexpected<Error> unreachable(const net::Endpoint& admin, const std::string& why) {
  return fail(ErrorKind::unavailable, "cannot reach a server's administrator's port at " + admin.text() + ": " + why);
}

std::unexpected<Error> stranger(const net::Endpoint& admin) {
  return fail(ErrorKind::invalid, "what answers at " + admin.text() + " is not a server's administrator's port");
}

// Everything until the server closes.
Result<std::string> receive_all(const net::Endpoint& admin, int socket, const Interrupt& interrupt) {
  const MonoTime deadline = SystemClock().mono_now() + kAnswerPatience;
  std::string received;
  std::array<char, 64 * 1024> buffer;
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - SystemClock().mono_now());
    if (interrupt.wait_for(socket, POLLIN, std::max(left, milliseconds{0})) != Interrupt::Waited::ready)
      return unreachable(admin, interrupt.is_raised() ? "interrupted" : "no answer in time");
    const ssize_t got = ::recv(socket, buffer.data(), buffer.size(), 0);
    if (got == 0) return received;
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (got < 0) return received.empty() ? stranger(admin) : unreachable(admin, "the connection broke");
    received.append(buffer.data(), static_cast<std::size_t>(got));
    if (received.size() > kReplyBytesMax) return stranger(admin);
  }
}

}  // namespace

Result<HttpReply> ask_admin_port(const net::Endpoint& admin, std::string_view target, const Interrupt& interrupt) {
  const auto socket = connect_socket(admin.address.text(), std::to_string(admin.port), interrupt);
  if (!socket) return unreachable(admin, socket.error().message);
  std::string request = "GET ";
  request.append(target).append(" HTTP/1.1\r\nHost: ").append(admin.text()).append("\r\nConnection: close\r\n\r\n");
  // So few bytes fit into the buffer of a new socket.
  if (::send(socket->get(), request.data(), request.size(), MSG_NOSIGNAL) != std::ssize(request))
    return unreachable(admin, "it takes no request");
  const auto received = receive_all(admin, socket->get(), interrupt);
  if (!received) return std::unexpected(received.error());
  const std::size_t empty_line = received->find("\r\n\r\n");
  if (empty_line == std::string::npos) return stranger(admin);
  const std::size_t head_size = empty_line + 4;
  auto reply = parse_reply_head(std::string_view(*received).substr(0, head_size));
  if (!reply || reply->content_length() != received->size() - head_size) return stranger(admin);
  reply->body = received->substr(head_size);
  return reply;
}

}  // namespace carillon::app
