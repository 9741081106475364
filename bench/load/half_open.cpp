#include "load/half_open.hpp"

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

std::string half_a_hello(const Target& target) {
  SSL* const tls = target.tls().new_connection();
  BIO* const sent = BIO_new(BIO_s_mem());
  SSL_set_bio(tls, BIO_new(BIO_s_mem()), sent);
  SSL_set_connect_state(tls);
  SSL_do_handshake(tls);
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(sent, &bytes);
  std::string half(bytes, static_cast<std::size_t>(size / 2));
  SSL_free(tls);
  return half;
}

}  // namespace

HalfOpen::HalfOpen(const Target& target, std::uint32_t connections)
    : target_(target), half_hello_(half_a_hello(target)), thread_(clock_, "half-open") {
  for (std::uint32_t number = 0; number < connections; ++number) {
    all_.push_back(std::make_unique<Silent>(*this));
    if (number % 2 == 1) all_.back()->word = half_hello_;
  }
  thread_.start();
  call_on(thread_.loop(), [&] {
    for (const auto& silent : all_) open(*silent);
  });
}

HalfOpen::~HalfOpen() {
  (void)stop();
  thread_.stop();
}

HalfOpen::Done HalfOpen::stop() {
  return call_on(thread_.loop(), [&] {
    for (const auto& silent : all_) close(*silent);
    return done_;
  });
}

void HalfOpen::open(Silent& silent) {
  auto socket = dial(target_.endpoint(), Link::local);
  if (!socket) return open_again(silent);
  silent.socket = std::move(*socket);
  silent.is_connected = false;
  if (!thread_.loop().watch(silent.socket.get(), EPOLLOUT, silent)) open_again(silent);
}

void HalfOpen::close(Silent& silent) {
  silent.retry.disarm();
  if (!silent.socket.is_open()) return;
  thread_.loop().unwatch(silent.socket.get(), silent);
  silent.socket = net::Fd();
}

void HalfOpen::open_again(Silent& silent) {
  close(silent);
  thread_.loop().arm(silent.retry, milliseconds(1 + random_() % kBackOffMsMax));
}

void HalfOpen::look_at(Silent& silent) {
  const int socket = silent.socket.get();
  if (!silent.is_connected) {
    if (connect_error(socket) != 0) return open_again(silent);
    silent.is_connected = true;
    ++done_.connected;
    if (!silent.word.empty()) (void)::send(socket, silent.word.data(), silent.word.size(), MSG_NOSIGNAL);
    return thread_.loop().rewatch(socket, EPOLLIN, silent);
  }
  char answer[1024];
  const ssize_t got = ::recv(socket, answer, sizeof answer, 0);
  if (got > 0 || (got < 0 && errno == EAGAIN)) return;
  ++done_.dropped;
  open_again(silent);
}

}  // namespace carillon::bench
