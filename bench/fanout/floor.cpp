// carillon-floor: the least that a delivery over TLS costs. A loop over libssl that gives every client the same bytes
// and knows nothing else: what a server needs beyond that is held against it. See bench/README.md.

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "fanout/block.hpp"
#include "net/address.hpp"
#include "net/fd.hpp"
#include "net/listener.hpp"
#include "net/tls_context.hpp"

namespace carillon::bench {

namespace {

// RFC 6455 1.3: the answer to its own example's key, which is the one that the load generator sends.
constexpr std::string_view kUpgraded =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

[[noreturn]] void stop(const std::string& why) {
  std::fprintf(stderr, "carillon-floor: %s\n", why.c_str());
  std::exit(1);
}

// What OpenSSL wrote and nobody sent yet. One for all: it is empty between two calls.
std::string& output() {
  static std::string bytes;
  return bytes;
}

int bio_write(BIO*, const char* bytes, int size) {
  output().append(bytes, static_cast<std::size_t>(size));
  return size;
}

long bio_control(BIO*, int command, long, void*) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO* new_output() {
  static const BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "carillon floor");
    BIO_meth_set_write(made, bio_write);
    BIO_meth_set_ctrl(made, bio_control);
    return made;
  }();
  BIO* const bio = BIO_new(method);
  BIO_set_init(bio, 1);
  return bio;
}

class Floor {
 public:
  Floor(net::TlsContext tls, net::Fd listener, net::Fd control)
      : tls_(std::move(tls)), listener_(std::move(listener)), control_(std::move(control)) {
    watch(listener_.get());
    watch(control_.get());
  }

  [[noreturn]] void run() {
    for (;;) {
      std::array<epoll_event, 256> events{};
      const int count = ::epoll_wait(epoll_.get(), events.data(), events.size(), -1);
      for (int i = 0; i < count; ++i) on_ready(events.at(static_cast<std::size_t>(i)).data.fd);
    }
  }

 private:
  struct Client {
    int socket;
    SSL* ssl;
  };

  void on_ready(int socket) {
    if (socket == listener_.get()) return accept_clients();
    if (socket == control_.get()) return accept_commander();
    if (socket == commander_.get()) return take_commands();
    receive(socket);
  }

  void watch(int socket) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = socket;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket, &event) != 0) stop(std::strerror(errno));
  }

  void accept_clients() {
    for (;;) {
      const int socket = ::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (socket < 0 && errno == EAGAIN) return;
      if (socket < 0) stop(std::string("cannot accept: ") + std::strerror(errno));
      SSL* const ssl = tls_.new_connection();
      SSL_set_bio(ssl, BIO_new_socket(socket, BIO_NOCLOSE), new_output());
      SSL_set_accept_state(ssl);
      const auto at = static_cast<std::size_t>(socket);
      if (by_socket_.size() <= at) by_socket_.resize(at + 1);
      by_socket_[at] = ssl;
      watch(socket);
    }
  }

  void accept_commander() {
    commander_ = net::Fd(::accept4(control_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!commander_.is_open()) stop(std::string("cannot accept: ") + std::strerror(errno));
    blocks_ = {};
    watch(commander_.get());
  }

  void take_commands() {
    const ssize_t got = ::recv(commander_.get(), buffer_.data(), buffer_.size(), 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) return commander_.reset();
    blocks_.feed(std::string_view(buffer_.data(), static_cast<std::size_t>(got)));
    while (const auto block = blocks_.next()) send_to_all(*block);
  }

  void receive(int socket) {
    SSL* const ssl = by_socket_[static_cast<std::size_t>(socket)];
    const int got = SSL_read(ssl, buffer_.data(), static_cast<int>(buffer_.size()));
    if (got > 0) {
      // What a client says is its request, and after that nothing that matters here.
      const std::string_view said(buffer_.data(), static_cast<std::size_t>(got));
      if (said.ends_with("\r\n\r\n")) {
        clients_.push_back({socket, ssl});
        write(ssl, kUpgraded);
      }
      return send(socket);
    }
    const int error = SSL_get_error(ssl, got);
    ERR_clear_error();
    if (error == SSL_ERROR_WANT_READ) return send(socket);
    output().clear();  // its own last words, or the next client would get them
    std::erase_if(clients_, [&](const Client& client) { return client.socket == socket; });
    SSL_free(ssl);
    ::close(socket);
  }

  void send_to_all(std::string_view block) {
    for (const auto& [socket, ssl] : clients_) {
      write(ssl, block);
      send(socket);
    }
  }

  // Larger blocks take several records.
  static void write(SSL* ssl, std::string_view bytes) {
    while (!bytes.empty()) {
      const int written = SSL_write(ssl, bytes.data(), static_cast<int>(bytes.size()));
      if (written <= 0) stop("a record could not be written");
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
  }

  static void send(int socket) {
    std::string& bytes = output();
    if (bytes.empty()) return;
    const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent != static_cast<ssize_t>(bytes.size()))
      stop("the kernel did not take a block for a client, and here is no queue");
    bytes.clear();
  }

  net::TlsContext tls_;
  net::Fd epoll_{::epoll_create1(EPOLL_CLOEXEC)};
  net::Fd listener_;
  net::Fd control_;
  net::Fd commander_;
  Blocks blocks_;
  std::vector<SSL*> by_socket_;
  std::vector<Client> clients_;  // in the order of their requests
  std::array<char, 16 * 1024> buffer_{};
};

template <class T>
T value_of(Result<T> result) {
  if (!result) stop(result.error().message);
  return std::move(*result);
}

int run(int count, char** words) {
  CLI::App app{
      "Sends to every TLS client what comes on the control port: blocks, each after its length in four bytes, most "
      "significant first."};
  std::string listen = "127.0.0.1:9443", control = "127.0.0.1:9444";
  net::TlsOptions tls;
  app.add_option("--listen", listen, "HOST:PORT for the clients")->capture_default_str();
  app.add_option("--control", control, "HOST:PORT for one commander, clear text")->capture_default_str();
  app.add_option("--certificate", tls.certificate, "PEM file")->required();
  app.add_option("--key", tls.private_key, "PEM file")->required();
  CLI11_PARSE(app, count, words);

  const auto listener_on = [](const std::string& endpoint) {
    return value_of(net::listen_on(value_of(net::Endpoint::parse(endpoint)), {}));
  };
  Floor(value_of(net::TlsContext::server(tls, net::make_ticket_keys())), listener_on(listen), listener_on(control))
      .run();
}

}  // namespace
}  // namespace carillon::bench

int main(int count, char** words) {
  return carillon::bench::run(count, words);
}
