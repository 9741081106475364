#include "load/connection.hpp"

#include <openssl/ssl.h>

#include <cstring>
#include <utility>

namespace carillon::bench {

namespace {

using Status = net::Stream::Status;

}  // namespace

void Connection::FreeTicket::operator()(ssl_session_st* ticket) const {
  SSL_SESSION_free(ticket);
}

Result<> Connection::open(const Target& target, Link link) {
  auto socket = dial(target.endpoint(), link);
  if (!socket) return std::unexpected(socket.error());
  connected_ = paused_ = asks_for_more_ = false;
  waiting_.clear();
  tls_ = target.tls().new_connection();
  if (ticket_) SSL_set_session(tls_, ticket_.get());
  stream_ = std::make_unique<net::Stream>(std::move(*socket), tls_, room_.scratch);
  watched_ = EPOLLOUT;
  return loop_.watch(stream_->fd(), watched_, *this);
}

void Connection::close() {
  // A copy: OpenSSL spoils the session of a connection that ends without a word.
  if (!is_closed() && stream_->is_open()) ticket_.reset(SSL_SESSION_dup(SSL_get_session(tls_)));
  hang_up();
}

void Connection::hang_up() {
  if (is_closed()) return;
  loop_.unwatch(stream_->fd(), *this);
  stream_ = nullptr;
}

bool Connection::is_resumed() const {
  return SSL_session_reused(tls_) == 1;
}

void Connection::end(std::string_view why) {
  close();
  owner_.on_end(why);
}

void Connection::watch() {
  const std::uint32_t events = (paused_ ? 0U : EPOLLIN) | (asks_for_more_ || stream_->has_unsent() ? EPOLLOUT : 0U);
  if (std::exchange(watched_, events) != events) loop_.rewatch(stream_->fd(), events, *this);
}

void Connection::on_ready(std::uint32_t events) {
  if (!connected_) {
    if (const int error = connect_error(stream_->fd()); error != 0) return end(std::strerror(error));
    connected_ = true;
  } else if ((events & EPOLLOUT) != 0) {
    flush();
    if (asks_for_more_ && !stream_->has_unsent()) owner_.on_room();
  }
  if (is_closed()) return;
  if (!paused_) return read();
  // Reported whether watched for or not: the server is gone, and with it what was not read.
  if ((events & (EPOLLERR | EPOLLHUP)) != 0) return end("gone while nobody read");
  watch();
}

void Connection::ask_for_more() {
  if (is_closed() || !connected_) return;
  asks_for_more_ = true;
  watch();
}

void Connection::pause() {
  if (is_closed() || !connected_) return;
  paused_ = true;
  watch();
}

void Connection::go_on() {
  if (!std::exchange(paused_, false) || is_closed()) return;
  watch();
}

void Connection::read() {
  const bool was_open = stream_->is_open();
  room_.received.clear();
  const Status status = stream_->read(room_.received);
  if (!was_open && stream_->is_open()) owner_.on_open();
  if (!is_closed() && !room_.received.empty()) owner_.on_bytes(room_.received);
  if (is_closed()) return;
  if (status != Status::ok) return end(status == Status::closed ? "closed by the server" : "broken");
  watch();
}

void Connection::send(std::string_view bytes) {
  if (is_closed()) return;
  if (stream_->has_unsent()) {
    waiting_.append(bytes);
    return;
  }
  // A failure shows at the next read.
  if (stream_->write(bytes) == Status::blocked) watch();
}

void Connection::flush() {
  if (stream_->flush() != Status::ok || waiting_.empty()) return;
  send(std::exchange(waiting_, {}));
}

}  // namespace carillon::bench
