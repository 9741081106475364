#include "app/client_socket.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <memory>
#include <system_error>

namespace carillon::app {
namespace {

constexpr milliseconds kPatience{10'000};

std::unexpected<Error> unavailable(int error_number) {
  return fail(ErrorKind::unavailable, std::error_code(error_number, std::generic_category()).message());
}

Result<net::Fd> connect_to(const addrinfo& address, const Interrupt& interrupt) {
  net::Fd socket(::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) return unavailable(errno);
  const int on = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(socket.get(), address.ai_addr, address.ai_addrlen) == 0) return socket;
  if (errno != EINPROGRESS) return unavailable(errno);
  switch (interrupt.wait_for(socket.get(), POLLOUT, kPatience)) {
    case Interrupt::Waited::ready:
      break;
    case Interrupt::Waited::timeout:
      return fail(ErrorKind::unavailable, "no answer");
    case Interrupt::Waited::interrupted:
      return fail(ErrorKind::unavailable, "interrupted");
  }
  int error_number = 0;
  socklen_t size = sizeof error_number;
  ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error_number, &size);
  if (error_number != 0) return unavailable(error_number);
  return socket;
}

}  // namespace

Result<net::Fd> connect_socket(const std::string& host, const std::string& port, const Interrupt& interrupt) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int code = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found); code != 0)
    return fail(ErrorKind::unavailable, ::gai_strerror(code));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, &::freeaddrinfo);
  Error last;
  for (const addrinfo* address = addresses.get(); address != nullptr; address = address->ai_next) {
    auto socket = connect_to(*address, interrupt);
    if (socket) return socket;
    last = socket.error();
  }
  return std::unexpected(last);
}

}  // namespace carillon::app
