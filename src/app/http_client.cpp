#include "app/http_client.hpp"

#include <algorithm>
#include <utility>

namespace carillon::app {
namespace {

constexpr milliseconds kAnswerPatience{30'000};
constexpr std::size_t kHeadBytesMax = 64 * 1024;
constexpr std::size_t kBodyBytesMax = 256 * 1024 * 1024;  // a list of dead letters holds their records

std::string encode(const HttpCall& call, const ServerUrl& server) {
  std::string text(call.method);
  text.append(" ").append(call.target).append(" HTTP/1.1\r\nHost: ").append(server.authority());
  text.append("\r\nAuthorization: Bearer ").append(call.token);
  if (!call.content_type.empty()) {
    text.append("\r\nContent-Type: ").append(call.content_type);
    text.append("\r\nContent-Length: ").append(std::to_string(call.body.size()));
  }
  return text.append("\r\n\r\n").append(call.body);
}

}  // namespace

Result<HttpReply> HttpClient::call(const HttpCall& call) {
  const std::string request = encode(call, server_);
  if (connection_) {
    auto reply = exchange(request);
    if (reply || !received_.empty()) return reply;
  }
  auto opened = ClientConnection::open(server_, ca_file_, interrupt_);
  if (!opened) return std::unexpected(opened.error());
  connection_ = std::move(*opened);
  return exchange(request);
}

Result<HttpReply> HttpClient::exchange(std::string_view request) {
  received_.clear();
  const auto sent = connection_->send(request);
  auto reply = sent ? receive_reply() : std::unexpected(sent.error());
  if (!reply || reply->closes()) connection_.reset();
  return reply;
}

Result<HttpReply> HttpClient::receive_reply() {
  const MonoTime deadline = SystemClock().mono_now() + kAnswerPatience;
  std::size_t empty_line = std::string::npos;
  while ((empty_line = received_.find("\r\n\r\n")) == std::string::npos) {
    if (received_.size() > kHeadBytesMax) return fail(ErrorKind::unavailable, "the answer's head is too large");
    if (auto more = receive_more(deadline); !more) return std::unexpected(more.error());
  }
  const std::size_t head_size = empty_line + 4;
  auto reply = parse_reply_head(std::string_view(received_).substr(0, head_size));
  const auto body_size = reply ? reply->content_length() : std::unexpected(reply.error());
  if (!body_size) return std::unexpected(body_size.error());
  if (*body_size > kBodyBytesMax) return fail(ErrorKind::unavailable, "the answer is larger than 256 MiB");
  while (received_.size() < head_size + *body_size)
    if (auto more = receive_more(deadline); !more) return std::unexpected(more.error());
  reply->body = received_.substr(head_size, *body_size);
  return reply;
}

Result<> HttpClient::receive_more(MonoTime deadline) {
  const auto left = std::chrono::ceil<milliseconds>(deadline - SystemClock().mono_now());
  const auto arrived = connection_->receive(received_, std::max(left, milliseconds{0}));
  if (!arrived) return std::unexpected(arrived.error());
  switch (*arrived) {
    case ClientConnection::Arrival::bytes:
      return {};
    case ClientConnection::Arrival::nothing:
      return fail(ErrorKind::unavailable, "no answer in time");
    case ClientConnection::Arrival::end:
      break;
  }
  return fail(ErrorKind::unavailable, "the server closed the connection");
}

}  // namespace carillon::app
