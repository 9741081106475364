#include "fanout/subscriber.hpp"

#include <utility>

#include "load/upgrade.hpp"
#include "net/http_head.hpp"
#include "websocket/frame_reader.hpp"

namespace carillon::bench {

Result<> Subscriber::open(const Target& target, std::optional<net::IpAddress> source) {
  const auto [path, fields] = dialect_.entrance(number_);
  head_ = "GET " + path + " HTTP/1.1\r\nHost: " + target.endpoint().text() + "\r\n" + fields;
  head_.append(kUpgradeFields).append("\r\n");
  return connection_.open(target, source);
}

void Subscriber::on_bytes(std::string_view bytes) {
  is_upgraded_ ? read_frames(bytes) : read_upgrade(bytes);
}

void Subscriber::read_upgrade(std::string_view bytes) {
  head_.append(bytes);
  const auto size = net::find_head_end(head_, 0);
  if (!size) return;
  const std::string answer = std::exchange(head_, {});
  if (!answer.starts_with("HTTP/1.1 101 ") || answer.find(kUpgradeAccept) == std::string::npos)
    return end("not upgraded: " + answer.substr(0, answer.find('\r')));
  is_upgraded_ = true;
  dialect_.begin(*this);
  read_frames(std::string_view(answer).substr(*size));
}

void Subscriber::read_frames(std::string_view bytes) {
  if (!frames_.feed(bytes, [this](const ServerFrames::Frame& frame) { take(frame); })) end("got what is no frame");
}

void Subscriber::take(const ServerFrames::Frame& frame) {
  switch (frame.opcode) {
    case protocol::Opcode::ping:
      return say(protocol::Opcode::pong, frame.payload);
    case protocol::Opcode::pong:
      return;
    case protocol::Opcode::close:
      return owner_.on_fault(number_, "closed by the server");
    default:
      return dialect_.hear(frame, rest_, *this);
  }
}

void Subscriber::say(protocol::Opcode opcode, std::string_view payload) {
  std::string frame;
  websocket::append_masked_frame(frame, opcode, payload, kMask);
  connection_.send(frame);
}

void Subscriber::end(std::string_view why) {
  connection_.close();
  owner_.on_end(number_, why);
}

}  // namespace carillon::bench
