#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "net/fd.hpp"

struct ssl_st;

namespace carillon::net {

// Room that all streams of a shard share, so that a connection owns no buffer while nothing is stuck in it.
struct StreamScratch {
  static constexpr std::size_t kInputBytes = 64 * 1024;
  static constexpr std::size_t kRecordBytes = 16 * 1024;

  std::unique_ptr<char[]> input = std::make_unique<char[]>(kInputBytes);
  std::size_t input_begin = 0, input_end = 0;  // what was received and not yet taken by the stream at work
  std::unique_ptr<char[]> record = std::make_unique<char[]>(kRecordBytes);  // one record, decrypted
  std::string output;                                                       // what is to be sent next
};

// A non-blocking byte stream over a TCP socket, with TLS or (loopback administration only) without.
// What is written is encrypted at once and offered to the kernel in one send; what the kernel does not take is kept,
// and the caller writes no more until flush() got rid of it. Shard-confined; owned by one connection.
class Stream {
 public:
  enum class Status : std::uint8_t {
    ok,       // done, or as far as the peer's bytes went
    blocked,  // the kernel's buffer is full; wait for EPOLLOUT, then flush()
    closed,   // the peer ended its side in order
    failed,   // broken; nothing more can be sent or received
  };

  // `ssl` null: clear text. Takes ownership of both. `scratch` outlives the stream.
  Stream(Fd fd, ssl_st* ssl, StreamScratch& scratch);
  // `other` is then good for nothing but its end. Not from within its own calls.
  Stream(Stream&& other) noexcept;
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  [[nodiscard]] int fd() const { return fd_.get(); }

  // Receives once (at most 64 KiB), takes the TLS handshake as far as that goes, and appends to `into` what became
  // readable. As a TLS client the first call sends the hello.
  Status read(std::string& into);
  [[nodiscard]] bool is_open() const { return open_; }  // the handshake is done

  // Sends `bytes`, all of them, now or as the kernel takes them. Not while has_unsent(), but for a last message.
  Status write(std::string_view bytes);
  // Offers again what the kernel did not take.
  Status flush();
  [[nodiscard]] bool has_unsent() const { return !unsent_.empty(); }
  [[nodiscard]] std::size_t unsent_bytes() const { return unsent_.size(); }

  // Throws away what has arrived, once, without looking at it; `bytes` says how much. After finish_writing().
  Status discard(std::size_t& bytes);

  // Says that nothing more follows (TLS close_notify, then FIN, behind what is unsent). Reading may go on.
  void finish_writing();

  // For the BIO that OpenSSL reads and writes through.
  long receive(char* into, std::size_t most);
  void queue_output(const char* bytes, std::size_t size);

 private:
  Status read_clear(std::string& into);
  Status read_records(std::string& into);
  Status send_output();
  Status status_of(int ssl_result);

  Fd fd_;
  ssl_st* ssl_;
  StreamScratch& scratch_;
  std::string unsent_;
  bool open_ = false;
  bool may_receive_ = false;  // this pass has not asked the kernel yet
  bool end_of_input_ = false;
  bool broken_ = false;
  bool finishing_ = false;
};

}  // namespace carillon::net
