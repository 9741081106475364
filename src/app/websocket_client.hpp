#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <string>
#include <string_view>

#include "app/client_connection.hpp"
#include "app/http_reply.hpp"
#include "app/interrupt.hpp"
#include "app/server_url.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "websocket/frame_reader.hpp"
#include "websocket/upgrade.hpp"

namespace carillon::app {

// A stream that a client command opens (protocol 1, 2.2, 6).
struct StreamRequest {
  std::string token;
  websocket::Carrier carrier{};
  std::string resume;  // a position; empty: none
  bool wants_snapshot = true;
};

// Why a stream was not opened.
struct StreamRefusal {
  std::string why;
  int status = 0;         // of the answer; 0: none came
  bool is_final = false;  // trying again cannot help
  milliseconds retry_after{};
};

// The client's end of a WebSocket (RFC 6455). Answers pings itself. One thread.
class WebSocketClient {
 public:
  // Connects and upgrades; with Carrier::first_message it has then sent that message.
  [[nodiscard]] static std::expected<WebSocketClient, StreamRefusal> open(const ServerUrl& server,
                                                                          const std::filesystem::path& ca_file,
                                                                          const StreamRequest& request,
                                                                          const Interrupt& interrupt);

  enum class Kind : std::uint8_t { message, nothing, closed };
  struct Event {
    Kind kind = Kind::nothing;  // nothing: time is up, or the user interrupted
    std::string text;           // message: its text; closed: why
    std::uint16_t code = 0;     // closed: the server's code; 1006 when it gave none
  };
  [[nodiscard]] Event next(milliseconds patience);

  // A message, or a close frame, after which nothing is sent. A connection that is gone shows at next().
  void send_text(std::string_view text);
  void send_close(std::uint16_t code);

 private:
  explicit WebSocketClient(ClientConnection connection);
  void send(protocol::Opcode opcode, std::string_view payload);
  [[nodiscard]] std::expected<void, StreamRefusal> upgrade(const ServerUrl& server, const StreamRequest& request);
  [[nodiscard]] Result<HttpReply> receive_head();

  ClientConnection connection_;
  websocket::FrameReader frames_;
  std::string input_;
  std::size_t input_at_ = 0;  // what of input_ has been read
  std::string trouble_;       // why something could not be sent
};

}  // namespace carillon::app
