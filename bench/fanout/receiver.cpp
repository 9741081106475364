#include "fanout/receiver.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "base/ensure.hpp"
#include "load/dial.hpp"

namespace carillon::bench {

void Receiver::Free::operator()(ssl_st* ssl) const {
  SSL_free(ssl);
}

void Receiver::prepare(const net::TlsContext& tls) {
  SSL_CTX_set_min_proto_version(tls.get(), TLS1_3_VERSION);
  ensure(SSL_CTX_set_ciphersuites(tls.get(), "TLS_AES_128_GCM_SHA256") == 1, "OpenSSL knows the suite");
  SSL_CTX_set_keylog_callback(tls.get(), take_secret);
}

// Called by others' connections of the context, too, which have no receiver.
void Receiver::take_secret(const ssl_st* ssl, const char* line) {
  auto* const receiver = static_cast<Receiver*>(SSL_get_app_data(ssl));
  const auto secret = traffic_secret_in(line);
  if (receiver != nullptr && secret) receiver->records_.emplace(*secret);
}

Result<> Receiver::open(const Target& target, const std::optional<net::IpAddress>& source) {
  auto socket = dial(target.endpoint(), Link::local, source);
  if (!socket) return std::unexpected(socket.error());
  socket_ = std::move(*socket);
  ssl_.reset(target.tls().new_connection());
  SSL_set_fd(ssl_.get(), socket_.get());
  SSL_set_app_data(ssl_.get(), this);
  return loop_.watch(socket_.get(), EPOLLOUT, *this);
}

void Receiver::close() {
  if (is_closed()) return;
  loop_.unwatch(socket_.get(), *this);
  ssl_.reset();
  socket_.reset();
}

void Receiver::end(std::string_view why) {
  close();
  owner_.on_end(why);
}

void Receiver::on_ready(std::uint32_t events) {
  is_open_ ? receive(events) : shake_hands();
}

void Receiver::shake_hands() {
  ERR_clear_error();
  errno = 0;
  const int result = SSL_connect(ssl_.get());
  if (result != 1) {
    const int system_error = errno;
    if (SSL_get_error(ssl_.get(), result) == SSL_ERROR_WANT_READ) return loop_.rewatch(socket_.get(), EPOLLIN, *this);
    const char* reason = ERR_reason_error_string(ERR_peek_error());
    return end(reason != nullptr ? reason : std::strerror(system_error));
  }
  // OpenSSL reads record by record: it has taken no byte of what follows the handshake.
  ensure(records_.has_value(), "OpenSSL has told the secret");
  is_open_ = true;
  // Told of each arrival once: otherwise the kernel looks at every socket a second time.
  loop_.rewatch(socket_.get(), EPOLLIN | EPOLLRDHUP | EPOLLET, *this);
  owner_.on_open();
}

// epoll(7): less than was asked for means that there is no more, but for an end that is there already.
void Receiver::receive(std::uint32_t events) {
  ssize_t got = 0;
  do {
    got = ::recv(socket_.get(), room_.received.get(), ReceiverRoom::kBytes, 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) return end(got == 0 ? "closed by the server" : std::strerror(errno));
    take(std::string_view(room_.received.get(), static_cast<std::size_t>(got)));
  } while (!is_closed() && (got == ReceiverRoom::kBytes || (events & EPOLLRDHUP) != 0));
}

void Receiver::take(std::string_view piece) {
  const bool goes_on = records_->feed(room_.opener, piece, [this](std::string_view text) {
    if (!is_closed()) owner_.on_bytes(text);
  });
  if (!goes_on && !is_closed()) end("the server ended TLS, or broke it");
}

void Receiver::send(std::string_view bytes) {
  ERR_clear_error();
  if (is_closed() || SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())) > 0) return;
  end("a client could not say what it has to");
}

}  // namespace carillon::bench
