#include "load/stream_client.hpp"

#include <charconv>
#include <utility>

#include "base/json.hpp"
#include "net/http_head.hpp"

namespace carillon::bench {

namespace {

using Kind = websocket::FrameReader::Kind;

// RFC 6455 1.3: its own example.
constexpr std::string_view kKey = "dGhlIHNhbXBsZSBub25jZQ==";
constexpr std::string_view kAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
constexpr std::array<std::uint8_t, 4> kMask = {0x37, 0xFA, 0x21, 0x3D};

}  // namespace

Result<> StreamClient::open(const Target& target, const std::string& token) {
  head_ = "GET /v1/stream?snapshot=false HTTP/1.1\r\nHost: " + target.endpoint().text() +
          "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ";
  head_.append(kKey).append("\r\nAuthorization: Bearer ").append(token).append("\r\n\r\n");
  return connection_.open(target);
}

void StreamClient::on_open() {
  connection_.send(std::exchange(head_, {}));
}

void StreamClient::end(std::string_view why) {
  connection_.close();
  owner_.on_fault(number_, why, true);
}

void StreamClient::on_bytes(std::string_view bytes) {
  upgraded_ ? read_frames(bytes) : read_upgrade(bytes);
}

void StreamClient::read_upgrade(std::string_view bytes) {
  head_.append(bytes);
  const auto size = net::find_head_end(head_, 0);
  if (!size) return;
  const std::string answer = std::exchange(head_, {});
  if (!answer.starts_with("HTTP/1.1 101 ") || answer.find(kAccept) == std::string::npos)
    return end("not upgraded: " + answer.substr(0, answer.find('\r')));
  upgraded_ = true;
  read_frames(std::string_view(answer).substr(*size));
}

void StreamClient::read_frames(std::string_view bytes) {
  while (!connection_.is_closed()) {
    const auto item = frames_.next(bytes);
    if (item.kind == Kind::need_more) return;
    if (item.kind == Kind::message) on_message(item.data);
    if (item.kind == Kind::fault) end(item.why);
    if (item.kind == Kind::close) end("closed with " + std::to_string(item.code) + " " + std::string(item.data));
  }
}

void StreamClient::on_message(std::string_view text) {
  if (!text.starts_with(R"({"type":"notification")")) return on_control(text);
  ++notifications_;
  owner_.on_notification(number_, text);
}

void StreamClient::on_control(std::string_view text) {
  const auto message = json::Document::parse(text);
  if (!message) return owner_.on_fault(number_, "got a message that is not JSON", false);
  const auto event = message->root().find_string("event").value_or("");
  if (event == "auth_ok") return owner_.on_live(number_);
  if (event == "ping") {
    std::uint64_t delivered = 0;
    const auto payload = message->root().find("payload");
    const auto count = payload ? payload->find("delivered") : std::nullopt;
    const auto digits = count ? count->text() : std::string_view();
    std::from_chars(digits.data(), digits.data() + digits.size(), delivered);
    return on_ping(delivered);
  }
  if (message->root().find_string("type") != "ack") owner_.on_fault(number_, "got: " + std::string(text), false);
}

void StreamClient::on_ping(std::uint64_t delivered) {
  if (delivered != notifications_) {
    owner_.on_fault(number_,
                    "the server counted " + std::to_string(delivered) + " notifications, the client " +
                        std::to_string(notifications_),
                    false);
  }
  std::string frame;
  websocket::append_masked_frame(frame, protocol::Opcode::text, R"({"type":"heartbeat","event":"pong"})", kMask);
  connection_.send(frame);
}

}  // namespace carillon::bench
