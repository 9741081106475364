#include "net/stream.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/ensure.hpp"

namespace carillon::net {

namespace {

// What a peer can make us keep by provoking TLS answers (tickets, key updates) without reading them.
constexpr std::size_t kUnsentByPeerMax = 256 * 1024;

Stream& stream_of(BIO* bio) {
  return *static_cast<Stream*>(BIO_get_data(bio));
}

int bio_read(BIO* bio, char* into, int most) {
  BIO_clear_retry_flags(bio);
  const long got = stream_of(bio).receive(into, static_cast<std::size_t>(most));
  if (got < 0) BIO_set_retry_read(bio);
  return static_cast<int>(got);
}

int bio_write(BIO* bio, const char* bytes, int size) {
  BIO_clear_retry_flags(bio);
  stream_of(bio).queue_output(bytes, static_cast<std::size_t>(size));
  return size;
}

long bio_control(BIO*, int command, long, void*) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

const BIO_METHOD* bio_method() {
  static const BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "carillon stream");
    ensure(made != nullptr, "OpenSSL makes a BIO method");
    BIO_meth_set_read(made, bio_read);
    BIO_meth_set_write(made, bio_write);
    BIO_meth_set_ctrl(made, bio_control);
    return made;
  }();
  return method;
}

}  // namespace

Stream::Stream(Fd fd, ssl_st* ssl, StreamScratch& scratch)
    : fd_(std::move(fd)), ssl_(ssl), scratch_(scratch), open_(ssl == nullptr) {
  if (ssl_ == nullptr) return;
  BIO* const bio = BIO_new(bio_method());
  ensure(bio != nullptr, "OpenSSL makes a BIO");
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_, bio, bio);
  SSL_is_server(ssl_) == 1 ? SSL_set_accept_state(ssl_) : SSL_set_connect_state(ssl_);
}

Stream::Stream(Stream&& other) noexcept
    : fd_(std::move(other.fd_)),
      ssl_(std::exchange(other.ssl_, nullptr)),
      scratch_(other.scratch_),
      unsent_(std::move(other.unsent_)),
      open_(other.open_),
      may_receive_(other.may_receive_),
      end_of_input_(other.end_of_input_),
      broken_(other.broken_),
      finishing_(other.finishing_) {
  if (ssl_ != nullptr) BIO_set_data(SSL_get_rbio(ssl_), this);
}

Stream::~Stream() {
  SSL_free(ssl_);
}

long Stream::receive(char* into, std::size_t most) {
  if (scratch_.input_begin == scratch_.input_end) {
    if (!std::exchange(may_receive_, false)) return -1;
    const ssize_t got = ::recv(fd_.get(), scratch_.input.get(), StreamScratch::kInputBytes, 0);
    if (got == 0) end_of_input_ = true;
    if (got < 0 && errno != EAGAIN && errno != EINTR) broken_ = true;
    if (got <= 0) return got == 0 ? 0 : -1;
    scratch_.input_begin = 0;
    scratch_.input_end = static_cast<std::size_t>(got);
  }
  const std::size_t size = std::min(most, scratch_.input_end - scratch_.input_begin);
  std::memcpy(into, scratch_.input.get() + scratch_.input_begin, size);
  scratch_.input_begin += size;
  return static_cast<long>(size);
}

void Stream::queue_output(const char* bytes, std::size_t size) {
  scratch_.output.append(bytes, size);
}

Stream::Status Stream::status_of(int ssl_result) {
  const int error = SSL_get_error(ssl_, ssl_result);
  ERR_clear_error();
  if (broken_) return Status::failed;
  if (error == SSL_ERROR_WANT_READ && !end_of_input_) return Status::ok;
  if (error == SSL_ERROR_ZERO_RETURN) return Status::closed;
  // An end without close_notify: for messages with a length of their own nothing is lost by it.
  if (end_of_input_ && open_) return Status::closed;
  return Status::failed;
}

Stream::Status Stream::read(std::string& into) {
  if (ssl_ == nullptr) return read_clear(into);
  scratch_.input_begin = scratch_.input_end = 0;
  scratch_.output.clear();
  may_receive_ = true;
  ERR_clear_error();
  const Status status = read_records(into);
  // Handshake flights, tickets, and the alert that tells a peer why it failed.
  const Status sent = scratch_.output.empty() ? Status::ok : send_output();
  if (unsent_.size() > kUnsentByPeerMax) return Status::failed;
  return status == Status::ok && sent == Status::failed ? sent : status;
}

Stream::Status Stream::read_clear(std::string& into) {
  const ssize_t got = ::recv(fd_.get(), scratch_.input.get(), StreamScratch::kInputBytes, 0);
  if (got > 0) into.append(scratch_.input.get(), static_cast<std::size_t>(got));
  if (got == 0) return Status::closed;
  return got > 0 || errno == EAGAIN || errno == EINTR ? Status::ok : Status::failed;
}

// Goes on until OpenSSL has taken all that was received, so that the shared room is empty for the next stream.
Stream::Status Stream::read_records(std::string& into) {
  if (!open_) {
    const int result = SSL_do_handshake(ssl_);
    if (result != 1) return status_of(result);
    open_ = true;
  }
  for (;;) {
    const int got = SSL_read(ssl_, scratch_.record.get(), static_cast<int>(StreamScratch::kRecordBytes));
    if (got <= 0) return status_of(got);
    into.append(scratch_.record.get(), static_cast<std::size_t>(got));
  }
}

// The kernel does not even copy it (tcp(7), MSG_TRUNC).
Stream::Status Stream::discard(std::size_t& bytes) {
  const ssize_t got = ::recv(fd_.get(), scratch_.input.get(), StreamScratch::kInputBytes, MSG_TRUNC);
  bytes = got > 0 ? static_cast<std::size_t>(got) : 0;
  if (got == 0) return Status::closed;
  return got > 0 || errno == EAGAIN || errno == EINTR ? Status::ok : Status::failed;
}

Stream::Status Stream::write(std::string_view bytes) {
  if (broken_) return Status::failed;
  scratch_.output.clear();
  if (ssl_ == nullptr) {
    scratch_.output.append(bytes);
    return send_output();
  }
  while (!bytes.empty()) {
    const int result = SSL_write(ssl_, bytes.data(), static_cast<int>(std::min<std::size_t>(bytes.size(), 1U << 30)));
    if (result <= 0) {
      ERR_clear_error();
      broken_ = true;
      return Status::failed;
    }
    bytes.remove_prefix(static_cast<std::size_t>(result));
  }
  return send_output();
}

Stream::Status Stream::send_output() {
  std::string& output = scratch_.output;
  if (!unsent_.empty()) {
    unsent_.append(output);
    return flush();
  }
  std::string_view left = output;
  while (!left.empty()) {
    const ssize_t sent = ::send(fd_.get(), left.data(), left.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno != EAGAIN) {
      broken_ = true;
      return Status::failed;
    }
    if (sent < 0) break;
    left.remove_prefix(static_cast<std::size_t>(sent));
  }
  if (left.empty()) return Status::ok;
  unsent_ = left;
  return Status::blocked;
}

Stream::Status Stream::flush() {
  if (unsent_.empty()) return Status::ok;
  const ssize_t sent = ::send(fd_.get(), unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
  if (sent < 0) {
    if (errno == EAGAIN || errno == EINTR) return Status::blocked;
    broken_ = true;
    return Status::failed;
  }
  if (static_cast<std::size_t>(sent) == unsent_.size()) {
    unsent_ = std::string();  // gives the memory back
    if (finishing_) ::shutdown(fd_.get(), SHUT_WR);
    return Status::ok;
  }
  unsent_.erase(0, static_cast<std::size_t>(sent));
  if (unsent_.capacity() > 4 * unsent_.size()) unsent_.shrink_to_fit();
  return Status::blocked;
}

void Stream::finish_writing() {
  if (std::exchange(finishing_, true)) return;
  if (ssl_ != nullptr && open_ && !broken_) {
    scratch_.output.clear();
    ERR_clear_error();
    SSL_shutdown(ssl_);
    ERR_clear_error();
    send_output();
  }
  if (unsent_.empty()) ::shutdown(fd_.get(), SHUT_WR);
}

}  // namespace carillon::net
