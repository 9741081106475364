#include "protocol/client_message.hpp"

#include <algorithm>
#include <utility>

#include "base/json.hpp"
#include "event/position.hpp"
#include "protocol/timestamp.hpp"

namespace carillon::protocol {

namespace {

using json::Kind;
using json::Value;
using Outcome = std::expected<ClientMessage, ClientFault>;
using Payload = std::optional<Value>;

constexpr json::Limits kLimits{.depth_max = 32, .members_max = 64, .values_max = 16 * 1024};

std::unexpected<ClientFault> bad_shape(std::string message) {
  return std::unexpected(ClientFault{"bad_shape", std::move(message)});
}

// 6.1: a malformed position never refuses a connection, so what is no string is kept as a position that no log knows.
std::optional<std::string> read_resume(const Value& payload) {
  const auto resume = payload.find("resume");
  if (!resume) return std::nullopt;
  return std::string(resume->is(Kind::string) ? resume->text() : std::string_view{});
}

Outcome read_auth_token(const Payload& payload) {
  const auto token = payload ? payload->find_string("token") : std::nullopt;
  if (!token) return bad_shape("payload.token must be a string");
  const auto snapshot = payload->find("snapshot");
  if (snapshot && !snapshot->is(Kind::boolean)) return bad_shape("payload.snapshot must be true or false");
  return AuthToken{.token = std::string(*token),
                   .resume = read_resume(*payload),
                   .snapshot = !snapshot || snapshot->text() == "true"};
}

Outcome read_ping(const Payload&) {
  return Ping{};
}
Outcome read_pong(const Payload&) {
  return Pong{};
}

Outcome read_received(const Payload& payload) {
  const auto id = payload ? payload->find_string("id") : std::nullopt;
  if (!id || !is_position(*id)) return bad_shape("payload.id must be a position");
  return Received{.id = std::string(*id)};
}

struct Form {
  std::string_view type;
  std::string_view event;
  Outcome (*read)(const Payload&);
};
constexpr Form kForms[] = {{"auth", "token", read_auth_token},
                           {"heartbeat", "ping", read_ping},
                           {"heartbeat", "pong", read_pong},
                           {"ack", "received", read_received}};

}  // namespace

std::expected<ClientMessage, ClientFault> parse_client_message(std::string_view text) {
  const auto document = json::Document::parse(text, kLimits);
  if (!document) return std::unexpected(ClientFault{"not_json", document.error().message});
  const Value root = document->root();
  const auto type = root.find_string("type");
  const auto event = root.find_string("event");
  if (!type || !event) return bad_shape("a message is an object with the strings type and event");
  const auto timestamp = root.find("timestamp");
  if (timestamp && !(timestamp->is(Kind::string) && parse_timestamp(timestamp->text())))
    return bad_shape("timestamp must be an RFC 3339 date and time");
  const auto payload = root.find("payload");
  if (payload && !payload->is(Kind::object)) return bad_shape("payload must be an object");
  const auto* form = std::find_if(std::begin(kForms), std::end(kForms), [&](const Form& candidate) {
    return candidate.type == *type && candidate.event == *event;
  });
  if (form == std::end(kForms))
    return std::unexpected(ClientFault{"unknown_type", "no message of a client has this type and event"});
  return form->read(payload);
}

}  // namespace carillon::protocol
