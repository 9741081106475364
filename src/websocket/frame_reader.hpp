#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/utf8.hpp"
#include "protocol/close_code.hpp"
#include "protocol/text_frame.hpp"

namespace carillon::websocket {

// Turns a peer's bytes into messages, strictly as RFC 6455 has it, refusing at the first byte that shows the fault.
// Binary messages are refused: this protocol has none. Fed with whatever arrived, in pieces of any size. Holds at most
// one message of `message_bytes_max`. No I/O, no time; shard-confined, owned by one connection.
class FrameReader {
 public:
  enum class Peer : std::uint8_t { client, server };  // whose frames are read: a client's are masked

  struct Limits {
    std::size_t message_bytes_max = 16 * 1024;
    std::uint32_t fragments_max = 16;
  };

  enum class Kind : std::uint8_t { need_more, message, ping, pong, close, fault };
  struct Item {
    Kind kind = Kind::need_more;
    // message: the text. ping, pong: the application data. close: the reason. Valid until the next call.
    std::string_view data;
    // close: the peer's code, 1005 when it gave none. fault: what to close with (protocol 7).
    std::uint16_t code = 0;
    // fault: why, static text.
    std::string_view why;
  };

  FrameReader(Peer peer, const Limits& limits) : limits_(limits), peer_(peer) {}

  // Takes the next item off the front of `input`; `input` then begins behind what was taken. After a fault or a close
  // the rest of the stream means nothing and must not be fed.
  [[nodiscard]] Item next(std::string_view& input);

  // Whether a frame or a fragmented message has begun and not ended.
  [[nodiscard]] bool is_mid_message() const { return header_size_ > 0 || in_payload_ || in_message_; }

 private:
  [[nodiscard]] Item read_header(std::string_view& input);
  [[nodiscard]] Item check_first_byte();
  [[nodiscard]] Item begin_payload();
  [[nodiscard]] Item read_payload(std::string_view& input);
  void unmask(std::span<char> bytes);
  [[nodiscard]] Item finish_frame();
  [[nodiscard]] Item finish_close();
  [[nodiscard]] bool is_control() const { return (header_[0] & 0x08) != 0; }
  [[nodiscard]] std::size_t header_size_needed() const;

  Limits limits_;
  std::string message_;  // of the message under way
  std::array<char, 125> control_{};
  std::array<std::uint8_t, 14> header_{};
  std::array<std::uint8_t, 4> mask_{};
  std::uint64_t left_ = 0;  // of the payload under way
  std::uint32_t fragments_ = 0;
  std::uint8_t header_size_ = 0;  // how much of the header is here
  std::uint8_t mask_at_ = 0;
  std::uint8_t control_size_ = 0;
  Peer peer_;
  bool in_payload_ = false;
  bool in_message_ = false;
  bool message_done_ = false;  // handed out; cleared at the next call
  Utf8Validator utf8_;
};

// Appends a frame as a client sends it. `key` is unpredictable to others (RFC 6455 5.3).
void append_masked_frame(std::string& out, protocol::Opcode opcode, std::string_view payload,
                         std::array<std::uint8_t, 4> key);

// Appends a close frame as a server sends it; `reason` at most 123 bytes.
void append_close_frame(std::string& out, protocol::CloseCode code, std::string_view reason);

}  // namespace carillon::websocket
