#include "eventlog/rabbitmq_connection.hpp"

#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <type_traits>
#include <utility>

#include "base/percent.hpp"
#include "eventlog/rabbitmq_values.hpp"
#include "eventlog/timeval.hpp"

namespace carillon::eventlog {
namespace {

constexpr amqp_channel_t kChannel = 1;
constexpr int kFrameBytesMax = 131072;
// What a socket that is writable takes without blocking: the library's own sends wait without a bound while the server
// sends heartbeats and reads nothing, which is what it does under a memory alarm.
constexpr std::size_t kSendBytesMax = 60'000;
constexpr int kSendBufferBytes = 212'992;
constexpr std::size_t kFramingBytes = 1024;  // what stands around a message's bytes, with its properties
constexpr const char* kSystemAuthorities = "/etc/ssl/certs/ca-certificates.crt";

milliseconds time_until(MonoTime deadline) {
  const auto left = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
  return std::max(left, milliseconds{0});
}

amqp_table_entry_t offset_argument(const StreamStart& start) {
  constexpr std::string_view kName = "x-stream-offset";
  return std::visit(
      [&](const auto& at) {
        using Start = std::decay_t<decltype(at)>;
        if constexpr (std::is_same_v<Start, FirstChunk>) {
          return entry(kName, "first");
        } else if constexpr (std::is_same_v<Start, LastChunk>) {
          return entry(kName, "last");
        } else if constexpr (std::is_same_v<Start, AtOffset>) {
          return entry(kName, static_cast<std::int64_t>(at.offset));
        } else {
          return entry(kName, at.time);
        }
      },
      start);
}

// A server that has just started answers before its queues are there, with 404: "home node ... is down or
// inaccessible", and a moment later with 406: "... does not have a replica on the local node".
bool is_coming_up(std::string_view text) {
  return text.find("down or inaccessible") != std::string_view::npos ||
         text.find("does not have a replica on the local node") != std::string_view::npos;
}

ErrorKind kind_of(int code, std::string_view text) {
  if (is_coming_up(text)) return ErrorKind::unavailable;
  switch (code) {
    case AMQP_ACCESS_REFUSED:
      return ErrorKind::denied;
    case AMQP_NOT_FOUND:
      return ErrorKind::not_found;
    case AMQP_NOT_ALLOWED:  // the virtual host; or a limit of connections
      if (text.find("limit") != std::string_view::npos) return ErrorKind::unavailable;
      return text.find("refused") != std::string_view::npos ? ErrorKind::denied : ErrorKind::invalid;
    case AMQP_RESOURCE_LOCKED:
    case AMQP_PRECONDITION_FAILED:
    case AMQP_NOT_IMPLEMENTED:
      return ErrorKind::invalid;
    default:
      return ErrorKind::unavailable;
  }
}

}  // namespace

Result<RabbitmqAddress> parse_rabbitmq_url(std::string_view url) {
  constexpr BrokerUrlForm kForm{.broker = "RabbitMQ",
                                .pattern = "amqp://[user@]host[:port]/[vhost]",
                                .scheme = "amqp",
                                .port = 5672,
                                .tls_scheme = "amqps",
                                .tls_port = 5671};
  auto server = parse_broker_url(url, kForm);
  if (!server) return std::unexpected(server.error());
  auto vhost = percent_decoded(server->path);
  if (!vhost || server->path.contains('/')) {
    return kForm.refusal("has a virtual host that is none (a / in its name is %2F)");
  }
  if (vhost->empty()) vhost = "/";
  return RabbitmqAddress{.server = *std::move(server), .vhost = *std::move(vhost)};
}

// The answers of the library as ours.
struct RabbitmqConnection::Amqp {
  // After these errors the connection is of no use.
  static Error lost(RabbitmqConnection& connection, std::string_view doing, int status) {
    connection.let_go();
    return connection.error(ErrorKind::unavailable, fmt::format("{}: {}", doing, amqp_error_string2(status)));
  }

  static Error closed(RabbitmqConnection& connection, const amqp_method_t& method) {
    int code = 0;
    std::string text;
    if (method.id == AMQP_CONNECTION_CLOSE_METHOD) {
      const auto* close = static_cast<const amqp_connection_close_t*>(method.decoded);
      code = close->reply_code;
      text = as_text(close->reply_text);
    } else if (method.id == AMQP_CHANNEL_CLOSE_METHOD) {
      const auto* close = static_cast<const amqp_channel_close_t*>(method.decoded);
      code = close->reply_code;
      text = as_text(close->reply_text);
    }
    connection.let_go();
    return connection.error(kind_of(code, text), text.empty() ? "an answer that is none" : text);
  }

  static Result<> check(RabbitmqConnection& connection, std::string_view doing, const amqp_rpc_reply_t& reply) {
    if (reply.reply_type == AMQP_RESPONSE_NORMAL) return {};
    if (reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION) return std::unexpected(closed(connection, reply.reply));
    return std::unexpected(lost(connection, doing, reply.library_error));
  }

  static Result<> check_last(RabbitmqConnection& connection, std::string_view doing) {
    return check(connection, doing, amqp_get_rpc_reply(connection.state_));
  }

  // The next frame of our channel; false at the deadline.
  static Result<bool> next(RabbitmqConnection& connection, MonoTime deadline, amqp_frame_t& frame) {
    for (;;) {
      const timeval wait = as_timeval(time_until(deadline));
      const int status = amqp_simple_wait_frame_noblock(connection.state_, &frame, &wait);
      if (status == AMQP_STATUS_TIMEOUT) return false;
      if (status != AMQP_STATUS_OK) return std::unexpected(lost(connection, "the connection was lost", status));
      if (frame.frame_type != AMQP_FRAME_METHOD) return true;
      switch (frame.payload.method.id) {
        case AMQP_CONNECTION_CLOSE_METHOD:
        case AMQP_CHANNEL_CLOSE_METHOD:
          return std::unexpected(closed(connection, frame.payload.method));
        case AMQP_CONNECTION_BLOCKED_METHOD: {
          const auto* blocked = static_cast<const amqp_connection_blocked_t*>(frame.payload.method.decoded);
          connection.blocked_ = fmt::format("it takes no messages: {}", as_text(blocked->reason));
          break;
        }
        case AMQP_CONNECTION_UNBLOCKED_METHOD:
          connection.blocked_.clear();
          break;
        default:
          return true;
      }
    }
  }

  // The same, where it has to come.
  static Result<amqp_frame_t> expect(RabbitmqConnection& connection, std::uint8_t type) {
    amqp_frame_t frame{};
    Result<bool> came = next(connection, std::chrono::steady_clock::now() + connection.access_.timeout, frame);
    if (!came) return std::unexpected(came.error());
    if (!*came) return std::unexpected(lost(connection, "a message did not end", AMQP_STATUS_TIMEOUT));
    if (frame.frame_type != type) {
      return std::unexpected(lost(connection, "a message was cut", AMQP_STATUS_UNEXPECTED_STATE));
    }
    return frame;
  }

  static Result<> take_content(RabbitmqConnection& connection, RabbitmqMessage& message) {
    const Result<amqp_frame_t> header = expect(connection, AMQP_FRAME_HEADER);
    if (!header) return std::unexpected(header.error());
    const auto stamp = stamp_of(*static_cast<const amqp_basic_properties_t*>(header->payload.properties.decoded));
    message.id = stamp.id;
    message.stamped_at = stamp.stamped_at;
    message.offset = stamp.offset;
    const std::uint64_t size = header->payload.properties.body_size;
    message.bytes.reserve(std::min<std::uint64_t>(size, std::uint64_t{1} << 20));
    while (message.bytes.size() < size) {
      const Result<amqp_frame_t> body = expect(connection, AMQP_FRAME_BODY);
      if (!body) return std::unexpected(body.error());
      message.bytes += as_text(body->payload.body_fragment);
    }
    return {};
  }

  // What of the confirmations and returns has come, or comes until the deadline; false when nothing did.
  static Result<bool> take_answer(RabbitmqConnection& connection, MonoTime deadline) {
    amqp_frame_t frame{};
    Result<bool> came = next(connection, deadline, frame);
    if (!came || !*came) return came;
    Result<> taken;
    if (frame.frame_type == AMQP_FRAME_METHOD && frame.payload.method.id == AMQP_BASIC_ACK_METHOD) {
      const auto* ack = static_cast<const amqp_basic_ack_t*>(frame.payload.method.decoded);
      connection.take_confirm(ack->delivery_tag, ack->multiple != 0);
    } else if (frame.frame_type == AMQP_FRAME_METHOD && frame.payload.method.id == AMQP_BASIC_RETURN_METHOD) {
      taken = std::unexpected(connection.error(ErrorKind::unavailable, "the queue is not there any more"));
    } else if (frame.frame_type == AMQP_FRAME_METHOD && frame.payload.method.id == AMQP_BASIC_NACK_METHOD) {
      taken = std::unexpected(connection.error(ErrorKind::unavailable, "it could not store a message"));
    }
    if (!taken) {
      connection.let_go();
      return std::unexpected(taken.error());
    }
    amqp_maybe_release_buffers_on_channel(connection.state_, kChannel);
    return true;
  }

  // Nothing goes on within our patience.
  static Error stuck(RabbitmqConnection& connection) {
    const std::string blocked = std::exchange(connection.blocked_, {});
    connection.let_go();
    if (!blocked.empty()) return connection.error(ErrorKind::full, blocked);
    return connection.error(ErrorKind::unavailable, "no answer in time");
  }

  static Result<> send(RabbitmqConnection& connection, const amqp_frame_t& frame, std::size_t bytes) {
    if (Result<> writable = connection.wait_writable(bytes); !writable) return writable;
    const int status = amqp_send_frame(connection.state_, &frame);
    if (status == AMQP_STATUS_OK) return {};
    return std::unexpected(lost(connection, "the connection was lost", status));
  }

  // As amqp_basic_publish(), but never more at once than the socket takes.
  static Result<> publish_long(RabbitmqConnection& connection, std::string_view queue,
                               amqp_basic_properties_t& properties, std::string_view bytes) {
    amqp_basic_publish_t publish{};
    publish.routing_key = as_bytes(queue);
    publish.mandatory = 1;
    amqp_frame_t frame{};
    frame.channel = kChannel;
    frame.frame_type = AMQP_FRAME_METHOD;
    frame.payload.method = {.id = AMQP_BASIC_PUBLISH_METHOD, .decoded = &publish};
    if (Result<> sent = send(connection, frame, kFramingBytes); !sent) return sent;
    frame.frame_type = AMQP_FRAME_HEADER;
    frame.payload.properties = {
        .class_id = AMQP_BASIC_CLASS, .body_size = bytes.size(), .decoded = &properties, .raw = amqp_empty_bytes};
    if (Result<> sent = send(connection, frame, kFramingBytes); !sent) return sent;
    frame.frame_type = AMQP_FRAME_BODY;
    while (!bytes.empty()) {
      const std::string_view part = bytes.substr(0, kSendBytesMax - kFramingBytes);
      frame.payload.body_fragment = as_bytes(part);
      if (Result<> sent = send(connection, frame, kFramingBytes + part.size()); !sent) return sent;
      bytes.remove_prefix(part.size());
    }
    return {};
  }
};

RabbitmqConnection::RabbitmqConnection(RabbitmqAddress address, const BrokerAccess& access)
    : address_(std::move(address)), access_(access) {}

RabbitmqConnection::~RabbitmqConnection() {
  close();
}

Result<> RabbitmqConnection::connect() {
  let_go();
  state_ = amqp_new_connection();
  if (state_ == nullptr) return std::unexpected(error(ErrorKind::unavailable, "no memory for a connection"));
  is_open_ = true;
  if (Result<> opened = open_socket(); !opened) return opened;
  if (Result<> in = log_in(); !in) return in;
  return open_channel();
}

Result<> RabbitmqConnection::open_socket() {
  amqp_socket_t* socket = address_.server.uses_tls ? amqp_ssl_socket_new(state_) : amqp_tcp_socket_new(state_);
  if (socket == nullptr) return std::unexpected(Amqp::lost(*this, "no socket", AMQP_STATUS_NO_MEMORY));
  if (address_.server.uses_tls) {
    amqp_ssl_socket_set_ssl_versions(socket, AMQP_TLSv1_2, AMQP_TLSvLATEST);
    const char* authorities = access_.ca_file.empty() ? kSystemAuthorities : access_.ca_file.c_str();
    if (amqp_ssl_socket_set_cacert(socket, authorities) != AMQP_STATUS_OK) {
      let_go();
      return std::unexpected(
          error(ErrorKind::invalid, fmt::format("the authorities in {} cannot be read", authorities)));
    }
    if (!access_.certificate.empty() &&
        amqp_ssl_socket_set_key(socket, access_.certificate.c_str(), access_.private_key.c_str()) != AMQP_STATUS_OK) {
      let_go();
      return std::unexpected(
          error(ErrorKind::invalid, fmt::format("the certificate {} and its key cannot be read", access_.certificate)));
    }
  }
  const timeval timeout = as_timeval(access_.timeout);
  const int status = amqp_socket_open_noblock(socket, address_.server.host.c_str(), address_.server.port, &timeout);
  if (status == AMQP_STATUS_SSL_PEER_VERIFY_FAILED) {
    let_go();
    return std::unexpected(error(ErrorKind::denied, "its certificate is of no authority that is trusted here"));
  }
  if (status == AMQP_STATUS_SSL_HOSTNAME_VERIFY_FAILED) {
    let_go();
    return std::unexpected(error(ErrorKind::denied, "its certificate is for another host name"));
  }
  if (status != AMQP_STATUS_OK) return std::unexpected(Amqp::lost(*this, "no connection", status));
  ::setsockopt(amqp_get_sockfd(state_), SOL_SOCKET, SO_SNDBUF, &kSendBufferBytes, sizeof kSendBufferBytes);
  return {};
}

Result<> RabbitmqConnection::log_in() {
  const timeval timeout = as_timeval(access_.timeout);
  amqp_set_handshake_timeout(state_, &timeout);
  amqp_set_rpc_timeout(state_, &timeout);
  // RabbitMQ has this user and password on loopback until somebody takes it away.
  const std::string user = !access_.username.empty()      ? access_.username
                           : address_.server.user.empty() ? "guest"
                                                          : address_.server.user;
  const std::string password = access_.password.empty() && user == "guest" ? "guest" : access_.password;
  std::array capabilities{flag("consumer_cancel_notify"), flag("connection.blocked"), flag("publisher_confirms")};
  std::array properties{entry("capabilities", table_of(capabilities)), entry("connection_name", "carillon")};
  const amqp_table_t table = table_of(properties);
  // A peer that is gone is noticed after two of these.
  const auto beat = std::max<std::int64_t>(std::chrono::ceil<std::chrono::seconds>(access_.timeout).count(), 1);
  return Amqp::check(
      *this, "no login",
      amqp_login_with_properties(state_, address_.vhost.c_str(), 0, kFrameBytesMax, static_cast<int>(beat), &table,
                                 AMQP_SASL_METHOD_PLAIN, user.c_str(), password.c_str()));
}

Result<> RabbitmqConnection::open_channel() {
  was_cancelled_ = false;
  amqp_channel_open(state_, kChannel);
  return Amqp::check_last(*this, "no channel");
}

void RabbitmqConnection::close() {
  if (is_open_ && blocked_.empty()) {
    const timeval soon = as_timeval(std::min(access_.timeout, milliseconds{500}));
    amqp_set_rpc_timeout(state_, &soon);
    amqp_connection_close(state_, AMQP_REPLY_SUCCESS);
  }
  let_go();
}

void RabbitmqConnection::let_go() {
  if (state_ != nullptr) amqp_destroy_connection(state_);
  state_ = nullptr;
  is_open_ = false;
  was_cancelled_ = false;
  blocked_.clear();
  published_ = 0;
  confirmed_ = 0;
  confirmed_ahead_.clear();
  sent_bytes_ = 0;
}

Result<> RabbitmqConnection::require_open() const {
  if (is_open_) return {};
  return std::unexpected(error(ErrorKind::unavailable, "not connected"));
}

Result<bool> RabbitmqConnection::has_queue(std::string_view queue) {
  if (Result<> open = require_open(); !open) return std::unexpected(open.error());
  amqp_queue_declare(state_, kChannel, as_bytes(queue), 1, 0, 0, 0, amqp_empty_table);
  return allowed_to_fail(AMQP_NOT_FOUND, "no answer about the queue");
}

// Whether the last call was answered well; false when the server closed the channel with this code.
Result<bool> RabbitmqConnection::allowed_to_fail(int code, std::string_view doing) {
  const amqp_rpc_reply_t reply = amqp_get_rpc_reply(state_);
  const auto* const closed =
      reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION && reply.reply.id == AMQP_CHANNEL_CLOSE_METHOD
          ? static_cast<const amqp_channel_close_t*>(reply.reply.decoded)
          : nullptr;
  if (closed != nullptr && closed->reply_code == code && !is_coming_up(as_text(closed->reply_text))) {
    amqp_channel_close_ok_t ok{};
    const int status = amqp_send_method(state_, kChannel, AMQP_CHANNEL_CLOSE_OK_METHOD, &ok);
    if (status != AMQP_STATUS_OK) return std::unexpected(Amqp::lost(*this, doing, status));
    amqp_maybe_release_buffers(state_);
    if (Result<> again = open_channel(); !again) return std::unexpected(again.error());
    return false;
  }
  if (Result<> checked = Amqp::check(*this, doing, reply); !checked) return std::unexpected(checked.error());
  amqp_maybe_release_buffers(state_);
  return true;
}

Result<> RabbitmqConnection::declare_stream(std::string_view queue, const StreamBounds& bounds) {
  if (Result<> open = require_open(); !open) return open;
  // Only whole segments are ever trimmed, so that what is kept is a segment less than the bound.
  const std::string age = fmt::format("{}s", std::chrono::ceil<std::chrono::seconds>(bounds.age).count());
  std::vector arguments{entry("x-queue-type", "stream")};
  if (bounds.age > milliseconds{0}) arguments.push_back(entry("x-max-age", age));
  if (bounds.bytes > 0) {
    arguments.push_back(entry("x-max-length-bytes", static_cast<std::int64_t>(bounds.bytes)));
    arguments.push_back(entry("x-stream-max-segment-size-bytes", static_cast<std::int64_t>(bounds.bytes / 8)));
  }
  amqp_queue_declare(state_, kChannel, as_bytes(queue), 0, 1, 0, 0, table_of(arguments));
  return Amqp::check_last(*this, "the queue was not made");
}

// AMQP has no question for a queue's type. A consumer without a credit is what only a stream refuses; declaring it
// anew would need a right to configure it and all of its arguments.
Result<> RabbitmqConnection::require_stream(std::string_view queue) {
  if (Result<> open = require_open(); !open) return open;
  amqp_basic_qos(state_, kChannel, 0, 0, 0);
  if (Result<> set = Amqp::check_last(*this, "no answer about the queue"); !set) return set;
  amqp_basic_consume(state_, kChannel, as_bytes(queue), amqp_empty_bytes, 0, 0, 0, amqp_empty_table);
  const Result<bool> consumes = allowed_to_fail(AMQP_PRECONDITION_FAILED, "no answer about the queue");
  if (!consumes) return std::unexpected(consumes.error());
  if (!*consumes) return {};
  let_go();
  return std::unexpected(
      error(ErrorKind::invalid,
            fmt::format("the queue {} is no stream; it must be declared with x-queue-type: stream", queue)));
}

Result<> RabbitmqConnection::consume(std::string_view queue, char consumer, const StreamStart& start,
                                     std::uint16_t credit) {
  if (Result<> open = require_open(); !open) return open;
  credit_ = credit;
  if (Result<> set = sync(); !set) return set;
  std::array arguments{offset_argument(start)};
  amqp_basic_consume(state_, kChannel, as_bytes(queue), as_bytes({&consumer, 1}), 0, 0, 0, table_of(arguments));
  return Amqp::check_last(*this, "the queue cannot be read");
}

Result<std::optional<RabbitmqMessage>> RabbitmqConnection::receive(MonoTime deadline) {
  if (Result<> open = require_open(); !open) return std::unexpected(open.error());
  while (!was_cancelled_) {
    amqp_frame_t frame{};
    Result<bool> came = Amqp::next(*this, deadline, frame);
    if (!came) return std::unexpected(came.error());
    if (!*came) return std::nullopt;
    if (frame.frame_type != AMQP_FRAME_METHOD) continue;
    if (frame.payload.method.id == AMQP_BASIC_CANCEL_METHOD) was_cancelled_ = true;
    if (frame.payload.method.id != AMQP_BASIC_DELIVER_METHOD) continue;
    const auto* deliver = static_cast<const amqp_basic_deliver_t*>(frame.payload.method.decoded);
    std::optional<RabbitmqMessage> message(std::in_place);
    message->consumer = deliver->consumer_tag.len == 1 ? as_text(deliver->consumer_tag).front() : '\0';
    message->tag = deliver->delivery_tag;
    if (Result<> taken = Amqp::take_content(*this, *message); !taken) return std::unexpected(taken.error());
    amqp_maybe_release_buffers_on_channel(state_, kChannel);
    return message;
  }
  return std::nullopt;
}

Result<> RabbitmqConnection::acknowledge(std::uint64_t tag) {
  if (Result<> open = require_open(); !open) return open;
  const int status = amqp_basic_ack(state_, kChannel, tag, 1);
  if (status != AMQP_STATUS_OK) return std::unexpected(Amqp::lost(*this, "the connection was lost", status));
  return {};
}

// It sets what is set.
Result<> RabbitmqConnection::sync() {
  if (Result<> open = require_open(); !open) return open;
  amqp_basic_qos(state_, kChannel, 0, credit_, 0);
  return Amqp::check_last(*this, "no answer");
}

bool RabbitmqConnection::has_arrived() const {
  return is_open_ && amqp_frames_enqueued(state_) != 0;
}

Result<> RabbitmqConnection::reopen_channel() {
  if (Result<> open = require_open(); !open) return open;
  if (Result<> ended = Amqp::check(*this, "no answer", amqp_channel_close(state_, kChannel, AMQP_REPLY_SUCCESS));
      !ended) {
    return ended;
  }
  while (has_arrived()) {
    amqp_frame_t frame{};
    if (Result<bool> dropped = Amqp::next(*this, MonoTime{}, frame); !dropped) {
      return std::unexpected(dropped.error());
    }
  }
  amqp_maybe_release_buffers(state_);
  return open_channel();
}

Result<> RabbitmqConnection::beat() {
  if (Result<> open = require_open(); !open) return open;
  amqp_frame_t frame{};
  frame.frame_type = AMQP_FRAME_HEARTBEAT;
  const int status = amqp_send_frame(state_, &frame);
  if (status != AMQP_STATUS_OK) return std::unexpected(Amqp::lost(*this, "the connection was lost", status));
  return {};
}

Result<> RabbitmqConnection::select_confirms() {
  if (Result<> open = require_open(); !open) return open;
  amqp_confirm_select(state_, kChannel);
  return Amqp::check_last(*this, "no confirmations");
}

Result<> RabbitmqConnection::publish(std::string_view queue, std::string_view id, std::string_view bytes,
                                     WallTime now) {
  if (Result<> open = require_open(); !open) return open;
  const bool is_long = bytes.size() + kFramingBytes > kSendBytesMax;
  if (!is_long) {
    if (Result<> writable = wait_writable(kFramingBytes + bytes.size()); !writable) return writable;
  }
  amqp_table_entry_t header{};
  amqp_basic_properties_t properties = stamped_properties(id, now, header);
  ++published_;
  if (is_long) return Amqp::publish_long(*this, queue, properties, bytes);
  const int status =
      amqp_basic_publish(state_, kChannel, amqp_empty_bytes, as_bytes(queue), 1, 0, &properties, as_bytes(bytes));
  if (status != AMQP_STATUS_OK) return std::unexpected(Amqp::lost(*this, "the connection was lost", status));
  return {};
}

Result<> RabbitmqConnection::await_confirms() {
  if (Result<> open = require_open(); !open) return open;
  const MonoTime deadline = std::chrono::steady_clock::now() + access_.timeout;
  while (confirmed_ < published_) {
    const Result<bool> came = Amqp::take_answer(*this, deadline);
    if (!came) return std::unexpected(came.error());
    if (!*came || !blocked_.empty()) return std::unexpected(Amqp::stuck(*this));
  }
  return {};
}

// Waits until this much can be sent at once.
Result<> RabbitmqConnection::wait_writable(std::size_t bytes) {
  sent_bytes_ += bytes;
  if (sent_bytes_ <= kSendBytesMax) return {};
  sent_bytes_ = bytes;
  const MonoTime deadline = std::chrono::steady_clock::now() + access_.timeout;
  for (;;) {
    // Confirmations are taken meanwhile, so that the server never waits for us to read.
    while (amqp_frames_enqueued(state_) != 0 || amqp_data_in_buffer(state_) != 0) {
      if (const auto taken = Amqp::take_answer(*this, MonoTime{}); !taken) return std::unexpected(taken.error());
    }
    pollfd poll{.fd = amqp_get_sockfd(state_), .events = POLLIN | POLLOUT, .revents = 0};
    const int ready = ::poll(&poll, 1, static_cast<int>(time_until(deadline).count()));
    if (ready == 0 || !blocked_.empty()) return std::unexpected(Amqp::stuck(*this));
    if ((poll.revents & POLLIN) != 0) {
      if (const auto taken = Amqp::take_answer(*this, MonoTime{}); !taken) return std::unexpected(taken.error());
    } else if (ready > 0) {
      return {};
    }
  }
}

void RabbitmqConnection::take_confirm(std::uint64_t number, bool is_multiple) {
  if (is_multiple) {
    confirmed_ = std::max(confirmed_, number);
    confirmed_ahead_.erase(confirmed_ahead_.begin(), confirmed_ahead_.upper_bound(confirmed_));
  } else {
    confirmed_ahead_.insert(number);
  }
  while (!confirmed_ahead_.empty() && *confirmed_ahead_.begin() == confirmed_ + 1) {
    confirmed_ahead_.erase(confirmed_ahead_.begin());
    ++confirmed_;
  }
}

Error RabbitmqConnection::error(ErrorKind kind, std::string_view sentence) const {
  return {kind, fmt::format("RabbitMQ at {}: {}", address_.server.address(), sentence)};
}

}  // namespace carillon::eventlog
