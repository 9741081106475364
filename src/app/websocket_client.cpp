#include "app/websocket_client.hpp"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/ensure.hpp"
#include "base/json.hpp"

namespace carillon::app {
namespace {

constexpr milliseconds kUpgradePatience{10'000};
constexpr std::size_t kHeadBytesMax = 64 * 1024;
constexpr std::size_t kMessageBytesMax = 1024 * 1024;
constexpr std::uint16_t kNoCloseFrame = 1006;

template <std::size_t size>
std::array<std::uint8_t, size> random_bytes() {
  std::array<std::uint8_t, size> bytes{};
  ensure(RAND_bytes(bytes.data(), static_cast<int>(size)) == 1, "the system gives random bytes");
  return bytes;
}

std::string make_key() {
  const auto bytes = random_bytes<16>();
  std::array<unsigned char, 25> text{};
  EVP_EncodeBlock(text.data(), bytes.data(), static_cast<int>(bytes.size()));
  return {reinterpret_cast<const char*>(text.data()), text.size() - 1};
}

std::string query_of(const StreamRequest& request) {
  std::string query;
  if (request.carrier == websocket::Carrier::first_message) return query;  // that message has it
  if (!request.resume.empty()) query += "?resume=" + request.resume;
  if (!request.wants_snapshot) query += query.empty() ? "?snapshot=false" : "&snapshot=false";
  return query;
}

std::string encode(const ServerUrl& server, const StreamRequest& request, const std::string& key) {
  std::string text = "GET /v1/stream" + query_of(request);
  text += " HTTP/1.1\r\nHost: " + server.authority() +
          "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + key;
  if (request.carrier == websocket::Carrier::header) text += "\r\nAuthorization: Bearer " + request.token;
  text += "\r\nSec-WebSocket-Protocol: carillon.v1";
  if (request.carrier == websocket::Carrier::subprotocol) text += ", carillon.bearer." + request.token;
  return text + "\r\n\r\n";
}

std::string first_message(const StreamRequest& request) {
  std::string text = R"({"type":"auth","event":"token","payload":{"token":)";
  json::append_string(text, request.token);
  if (!request.resume.empty()) {
    text += R"(,"resume":)";
    json::append_string(text, request.resume);
  }
  if (!request.wants_snapshot) text += R"(,"snapshot":false)";
  return text + "}}";
}

StreamRefusal refusal_of(const HttpReply& reply) {
  return {.why = "the server refused: " + reply.refusal(),
          .status = reply.status,
          .is_final = reply.status < 500 && reply.status != 429 && reply.status != 408,
          .retry_after = reply.retry_after()};
}

StreamRefusal refusal_of(const Error& error) {
  return {.why = error.message, .is_final = error.kind != ErrorKind::unavailable};
}

}  // namespace

WebSocketClient::WebSocketClient(ClientConnection connection)
    : connection_(std::move(connection)),
      frames_(websocket::FrameReader::Peer::server, {.message_bytes_max = kMessageBytesMax}) {}

std::expected<WebSocketClient, StreamRefusal> WebSocketClient::open(const ServerUrl& server,
                                                                    const std::filesystem::path& ca_file,
                                                                    const StreamRequest& request,
                                                                    const Interrupt& interrupt) {
  auto connection = ClientConnection::open(server, ca_file, interrupt);
  if (!connection) return std::unexpected(refusal_of(connection.error()));
  WebSocketClient client(std::move(*connection));
  if (auto upgraded = client.upgrade(server, request); !upgraded) return std::unexpected(upgraded.error());
  if (request.carrier == websocket::Carrier::first_message) client.send_text(first_message(request));
  return client;
}

std::expected<void, StreamRefusal> WebSocketClient::upgrade(const ServerUrl& server, const StreamRequest& request) {
  const std::string key = make_key();
  if (auto sent = connection_.send(encode(server, request, key)); !sent)
    return std::unexpected(refusal_of(sent.error()));
  auto reply = receive_head();
  if (!reply) return std::unexpected(refusal_of(reply.error()));
  if (reply->status != 101) return std::unexpected(refusal_of(*reply));
  // RFC 6455 4.1: whoever answers must have understood the key.
  if (reply->field("sec-websocket-accept") != websocket::accept_key_of(key))
    return std::unexpected(StreamRefusal{.why = "the answer is not a WebSocket server's", .is_final = true});
  return {};
}

// The head of the answer, and the body of a refusal as far as it comes.
Result<HttpReply> WebSocketClient::receive_head() {
  std::size_t empty_line = std::string::npos;
  while ((empty_line = input_.find("\r\n\r\n")) == std::string::npos) {
    if (input_.size() > kHeadBytesMax) return fail(ErrorKind::unavailable, "the answer's head is too large");
    const auto arrived = connection_.receive(input_, kUpgradePatience);
    if (!arrived) return std::unexpected(arrived.error());
    if (*arrived != ClientConnection::Arrival::bytes) return fail(ErrorKind::unavailable, "no answer to the upgrade");
  }
  input_at_ = empty_line + 4;
  auto reply = parse_reply_head(std::string_view(input_).substr(0, input_at_));
  if (!reply || reply->status == 101) return reply;
  const std::uint64_t body_size = std::min<std::uint64_t>(reply->content_length().value_or(0), kHeadBytesMax);
  while (input_.size() < input_at_ + body_size) {
    const auto arrived = connection_.receive(input_, kUpgradePatience);
    if (!arrived || *arrived != ClientConnection::Arrival::bytes) break;
  }
  reply->body = input_.substr(input_at_, body_size);
  return reply;
}

WebSocketClient::Event WebSocketClient::next(milliseconds patience) {
  using Kind_ = websocket::FrameReader::Kind;
  for (;;) {
    std::string_view rest = std::string_view(input_).substr(input_at_);
    const auto item = frames_.next(rest);
    input_at_ = input_.size() - rest.size();
    switch (item.kind) {
      case Kind_::message:
        return {Kind::message, std::string(item.data), 0};
      case Kind_::ping:
        send(protocol::Opcode::pong, item.data);
        continue;
      case Kind_::pong:
        continue;
      case Kind_::close:
        send(protocol::Opcode::close, {});
        return {Kind::closed, std::string(item.data), item.code};
      case Kind_::fault:
        send_close(item.code);
        return {Kind::closed, std::string(item.why), kNoCloseFrame};
      case Kind_::need_more:
        break;
    }
    if (!trouble_.empty()) return {Kind::closed, trouble_, kNoCloseFrame};
    input_.clear();
    input_at_ = 0;
    const auto arrived = connection_.receive(input_, patience);
    if (!arrived) return {Kind::closed, arrived.error().message, kNoCloseFrame};
    if (*arrived == ClientConnection::Arrival::end)
      return {Kind::closed, "the server closed the connection", kNoCloseFrame};
    if (*arrived == ClientConnection::Arrival::nothing) return {};
  }
}

void WebSocketClient::send_text(std::string_view text) {
  send(protocol::Opcode::text, text);
}

void WebSocketClient::send_close(std::uint16_t code) {
  const std::string payload = {static_cast<char>(code >> 8U), static_cast<char>(code & 0xffU)};
  send(protocol::Opcode::close, payload);
}

void WebSocketClient::send(protocol::Opcode opcode, std::string_view payload) {
  std::string frame;
  websocket::append_masked_frame(frame, opcode, payload, random_bytes<4>());
  if (auto sent = connection_.send(frame); !sent) trouble_ = sent.error().message;
}

}  // namespace carillon::app
