#include "load/strangers.hpp"

#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "load/dial.hpp"
#include "load/thread_call.hpp"

namespace carillon::bench {

namespace {

constexpr std::uint32_t kBackOffMsMax = 100;

std::string client_hello(const Target& target) {
  SSL* const tls = target.tls().new_connection();
  BIO* const sent = BIO_new(BIO_s_mem());
  SSL_set_bio(tls, BIO_new(BIO_s_mem()), sent);
  SSL_set_connect_state(tls);
  SSL_do_handshake(tls);
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(sent, &bytes);
  std::string hello(bytes, static_cast<std::size_t>(size));
  SSL_free(tls);
  return hello;
}

}  // namespace

Strangers::Strangers(const Target& target, std::uint32_t half_open, std::uint32_t hasty)
    : target_(target), hello_(client_hello(target)), thread_(clock_, "strangers") {
  const std::string_view hello = hello_;
  for (std::uint32_t i = 0; i < half_open; ++i)
    all_.push_back(std::make_unique<Stranger>(*this, hello.substr(0, i % 2 * hello.size() / 2), false));
  for (std::uint32_t i = 0; i < hasty; ++i) all_.push_back(std::make_unique<Stranger>(*this, hello, true));
  thread_.start();
  call_on(thread_.loop(), [&] {
    for (const auto& stranger : all_) open(*stranger);
  });
}

Strangers::~Strangers() {
  (void)stop();
  thread_.stop();
}

Strangers::Done Strangers::stop() {
  return call_on(thread_.loop(), [&] {
    for (const auto& stranger : all_) close(*stranger);
    return done_;
  });
}

void Strangers::open(Stranger& stranger) {
  auto socket = dial(target_.endpoint(), Link::local);
  if (!socket) return open_later(stranger);
  stranger.socket = std::move(*socket);
  stranger.is_connected = false;
  if (!thread_.loop().watch(stranger.socket.get(), EPOLLOUT, stranger)) open_later(stranger);
}

void Strangers::close(Stranger& stranger) {
  stranger.retry.disarm();
  if (!stranger.socket.is_open()) return;
  thread_.loop().unwatch(stranger.socket.get(), stranger);
  stranger.socket.reset();
}

void Strangers::open_later(Stranger& stranger) {
  close(stranger);
  thread_.loop().arm(stranger.retry, milliseconds(1 + random_() % kBackOffMsMax));
}

void Strangers::look_at(Stranger& stranger) {
  const int socket = stranger.socket.get();
  if (!stranger.is_connected) {
    if (connect_error(socket) != 0) return open_later(stranger);
    stranger.is_connected = true;
    if (!stranger.is_hasty) ++done_.half_open;
    if (!stranger.words.empty()) (void)::send(socket, stranger.words.data(), stranger.words.size(), MSG_NOSIGNAL);
    return thread_.loop().rewatch(socket, EPOLLIN, stranger);
  }
  // The answer is not read: then closing is a reset, which leaves nothing behind at either side.
  char first = 0;
  const ssize_t got = ::recv(socket, &first, sizeof first, MSG_PEEK);
  if (got < 0 && errno == EAGAIN) return;
  if (stranger.is_hasty && got > 0) {
    ++done_.answered;
    close(stranger);
    return open(stranger);
  }
  if (!stranger.is_hasty) ++done_.dropped;
  open_later(stranger);
}

}  // namespace carillon::bench
