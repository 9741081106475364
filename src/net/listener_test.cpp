#include "net/listener.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <string>

namespace carillon::net {
namespace {

int option_of(const Fd& socket, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  EXPECT_EQ(::getsockopt(socket.get(), IPPROTO_TCP, name, &value, &size), 0);
  return value;
}

TEST(Listener, AcceptedConnectionsInheritTheTcpOptions) {
  const auto listener =
      listen_on(Endpoint::parse("127.0.0.1:0").value(), {.share = true, .congestion_control = "reno"});
  ASSERT_TRUE(listener) << listener.error().message;
  const Fd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{.sin_family = AF_INET,
                      .sin_port = htons(bound_endpoint(*listener).port),
                      .sin_addr = {htonl(INADDR_LOOPBACK)},
                      .sin_zero = {}};
  ASSERT_EQ(::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  const Fd accepted(::accept(listener->get(), nullptr, nullptr));
  ASSERT_TRUE(accepted.is_open());
  EXPECT_NE(option_of(accepted, TCP_NODELAY), 0);
  EXPECT_EQ(option_of(accepted, TCP_NOTSENT_LOWAT), 64 * 1024);
  std::array<char, 16> name{};
  socklen_t size = name.size();
  ASSERT_EQ(::getsockopt(accepted.get(), IPPROTO_TCP, TCP_CONGESTION, name.data(), &size), 0);
  EXPECT_EQ(std::string(name.data()), "reno");
}

}  // namespace
}  // namespace carillon::net
