#include "load/stream_client.hpp"

#include <charconv>
#include <utility>

#include "load/upgrade.hpp"
#include "net/http_head.hpp"

namespace carillon::bench {

namespace {

using Kind = websocket::FrameReader::Kind;

std::uint64_t number_in(json::Value payload, std::string_view name) {
  const auto member = payload.find(name);
  const auto digits = member ? member->text() : std::string_view();
  std::uint64_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

}  // namespace

Result<> StreamClient::open(const Target& target, const std::string& token, Link link) {
  frames_ = websocket::FrameReader(websocket::FrameReader::Peer::server, {});
  notifications_ = replayed_ = 0;
  upgraded_ = replaying_ = false;
  head_ = wants_snapshot_ ? "GET /v1/stream?snapshot=true" : "GET /v1/stream?snapshot=false";
  if (!position_.empty()) head_.append("&resume=").append(position_);
  head_.append(" HTTP/1.1\r\nHost: ").append(target.endpoint().text()).append("\r\n").append(kUpgradeFields);
  head_.append("Authorization: Bearer ").append(token).append("\r\n\r\n");
  return connection_.open(target, link);
}

void StreamClient::on_open() {
  owner_.on_connected(number_);
  connection_.send(std::exchange(head_, {}));
}

void StreamClient::end(std::uint16_t code, std::string_view why) {
  connection_.close();
  owner_.on_end(number_, {.code = code, .why = why});
}

void StreamClient::on_bytes(std::string_view bytes) {
  upgraded_ ? read_frames(bytes) : read_upgrade(bytes);
}

void StreamClient::read_upgrade(std::string_view bytes) {
  head_.append(bytes);
  const auto size = net::find_head_end(head_, 0);
  if (!size) return;
  const std::string answer = std::exchange(head_, {});
  if (!answer.starts_with("HTTP/1.1 101 ") || answer.find(kUpgradeAccept) == std::string::npos)
    return end(0, "not upgraded: " + answer.substr(0, answer.find('\r')));
  upgraded_ = true;
  read_frames(std::string_view(answer).substr(*size));
}

void StreamClient::read_frames(std::string_view bytes) {
  while (!connection_.is_closed()) {
    const auto item = frames_.next(bytes);
    if (item.kind == Kind::need_more) return;
    if (item.kind == Kind::message) on_message(item.data);
    if (item.kind == Kind::fault) end(0, item.why);
    if (item.kind == Kind::close)
      end(item.code, "closed with " + std::to_string(item.code) + " " + std::string(item.data));
  }
}

void StreamClient::on_message(std::string_view text) {
  text.starts_with(R"({"type":"notification")") ? on_notification(text) : on_control(text);
}

// The members before the payload, as the server writes them, are looked through without parsing: there are many.
void StreamClient::on_notification(std::string_view text) {
  constexpr std::string_view kId = R"("id":")";
  const std::string_view head = text.substr(0, text.find(R"(,"payload":)"));
  const bool is_replayed = head.find(R"(,"replayed":true)") != std::string_view::npos;
  ++notifications_;
  if (is_replayed) ++replayed_;
  if (is_replayed != replaying_)
    owner_.on_fault(number_, is_replayed ? "a live event marked as replayed" : "a missed event not marked as replayed");
  owner_.on_notification(number_, text);
  const std::size_t id = head.find(kId);
  if (id == std::string_view::npos) return owner_.on_fault(number_, "got an event without a position");
  const std::string_view position = head.substr(id + kId.size());
  position_.assign(position.substr(0, position.find('"')));
}

void StreamClient::on_control(std::string_view text) {
  const auto message = json::Document::parse(text);
  if (!message) return owner_.on_fault(number_, "got a message that is not JSON");
  const auto event = message->root().find_string("event").value_or("");
  const auto payload = message->root().find("payload");
  if (payload && event == "auth_ok") return on_auth_ok(*payload);
  if (payload && event == "live") return on_live(*payload);
  if (payload && event == "ping") return on_ping(*payload);
  if (message->root().find_string("type") != "ack") owner_.on_fault(number_, "got: " + std::string(text));
}

void StreamClient::on_auth_ok(json::Value payload) {
  const auto resume = payload.find("resume");
  if (resume.has_value() == position_.empty())
    owner_.on_fault(number_, resume ? "got an answer to no resume" : "got no answer to a resume");
  const auto complete = resume ? resume->find("complete") : std::nullopt;
  replaying_ = complete && complete->text() == "true";
  if (!resume || replaying_) return owner_.on_accepted(number_, std::nullopt);
  owner_.on_accepted(number_, resume->find_string("reason").value_or(""));
}

void StreamClient::on_live(json::Value payload) {
  replaying_ = false;
  if (const auto replayed = number_in(payload, "replayed"); replayed != replayed_)
    owner_.on_fault(number_, "the server says that it replayed " + std::to_string(replayed) + " events, and " +
                                 std::to_string(replayed_) + " came");
  position_ = payload.find_string("position").value_or("");
  owner_.on_live(number_, replayed_);
}

void StreamClient::on_ping(json::Value payload) {
  owner_.on_heartbeat(number_, {.delivered = number_in(payload, "delivered"), .counted = notifications_});
  position_ = payload.find_string("position").value_or("");
  std::string frame;
  websocket::append_masked_frame(frame, protocol::Opcode::text, R"({"type":"heartbeat","event":"pong"})", kMask);
  connection_.send(frame);
}

}  // namespace carillon::bench
