#include "protocol/server_message.hpp"

#include <charconv>
#include <concepts>

#include "base/json.hpp"
#include "protocol/text_frame.hpp"
#include "protocol/timestamp.hpp"

namespace carillon::protocol {

namespace {

constexpr std::size_t kFrameHeaderBytesMax = 10;
constexpr std::size_t kHeadBytes = 160;  // what stands before a notification's payload, without its id, at most

void append_number(std::string& out, std::integral auto value) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  out.append(digits, end);
}

void append_time(std::string& out, WallTime time) {
  out.push_back('"');
  append_timestamp(out, time);
  out.push_back('"');
}

// Up to and with the payload's opening brace. `type` and `event` are words of ours and need no escapes.
std::string begin_message(std::string_view type, std::string_view event, WallTime now) {
  std::string out;
  out.reserve(384);
  out.append("{\"type\":\"").append(type).append("\",\"event\":\"").append(event).append("\",\"timestamp\":");
  append_time(out, now);
  out.append(",\"payload\":{");
  return out;
}

std::string end_message(std::string out) {
  out.append("}}");
  return out;
}

void append_grants(std::string& out, Grants grants) {
  out.push_back('[');
  for (const Grant grant : kGrants) {
    if (!grants.has(grant)) continue;
    if (out.back() != '[') out.push_back(',');
    out.append("\"").append(to_string(grant)).append("\"");
  }
  out.push_back(']');
}

void append_resumption(std::string& out, const Resumption& resume) {
  out.append(",\"resume\":{");
  if (is_position(resume.requested)) out.append("\"requested\":\"").append(resume.requested).append("\",");
  out.append(resume.gap ? "\"complete\":false,\"reason\":\"" : "\"complete\":true");
  if (resume.gap) out.append(to_string(*resume.gap)).push_back('"');
  out.push_back('}');
}

}  // namespace

milliseconds lateness_limit(EventKind kind) {
  return kind == EventKind::system_alert ? std::chrono::seconds{5} : std::chrono::seconds{2};
}

EncodedNotification encode_notification(const Event& event, WallTime logged_at, const Position& position, bool late) {
  std::string head;
  head.reserve(kHeadBytes + position.text.size());
  head.append("{\"type\":\"notification\",\"event\":\"").append(to_string(event.kind)).append("\",\"timestamp\":");
  append_time(head, event.timestamp.value_or(logged_at));
  head.append(",\"id\":\"").append(position.text).push_back('"');
  const std::size_t mark_at = head.size();
  head.append(late ? ",\"late\":true,\"payload\":" : ",\"payload\":");
  const std::size_t size = head.size() + event.payload.size() + 1;
  EncodedNotification encoded;
  encoded.frame.reserve(kFrameHeaderBytesMax + size);
  append_frame_header(encoded.frame, Opcode::text, size);
  encoded.mark_at = static_cast<std::uint32_t>(encoded.frame.size() + mark_at);
  encoded.frame.append(head).append(event.payload).push_back('}');
  return encoded;
}

std::string encode_auth_ok(const AuthOk& ok, WallTime now) {
  std::string out = begin_message("ack", "auth_ok", now);
  out.append("\"session_id\":");
  json::append_string(out, ok.session_id);
  out.append(",\"user_id\":");
  json::append_string(out, ok.principal.user_id);
  out.append(",\"grants\":");
  append_grants(out, ok.principal.grants);
  out.append(",\"expires_at\":");
  append_time(out, ok.principal.expires_at);
  out.append(",\"heartbeat_interval_ms\":");
  append_number(out, ok.heartbeat_interval.count());
  out.append(",\"heartbeat_timeout_ms\":");
  append_number(out, ok.heartbeat_timeout.count());
  if (ok.resume) append_resumption(out, *ok.resume);
  return end_message(std::move(out));
}

std::string encode_auth_expiring(WallTime expires_at, WallTime now) {
  std::string out = begin_message("ack", "auth_expiring", now);
  out.append("\"expires_at\":");
  append_time(out, expires_at);
  return end_message(std::move(out));
}

std::string encode_live(const Position& position, std::uint64_t replayed, WallTime now) {
  std::string out = begin_message("ack", "live", now);
  out.append("\"position\":\"").append(position.text).append("\",\"replayed\":");
  append_number(out, replayed);
  return end_message(std::move(out));
}

std::string encode_shutting_down(milliseconds retry_after, WallTime now) {
  std::string out = begin_message("ack", "shutting_down", now);
  out.append("\"retry_after_ms\":");
  append_number(out, retry_after.count());
  return end_message(std::move(out));
}

std::string encode_ping(const Position& position, std::uint64_t delivered, WallTime now) {
  std::string out = begin_message("heartbeat", "ping", now);
  out.append("\"position\":\"").append(position.text).append("\",\"delivered\":");
  append_number(out, delivered);
  return end_message(std::move(out));
}

std::string encode_pong(WallTime now) {
  return end_message(begin_message("heartbeat", "pong", now));
}

std::string encode_error(std::string_view event, std::string_view code, std::string_view message, WallTime now,
                         milliseconds retry_after) {
  std::string out = begin_message("error", event, now);
  out.append("\"message\":");
  json::append_string(out, message);
  out.append(",\"code\":");
  json::append_string(out, code);
  if (retry_after > milliseconds{0}) {
    out.append(",\"retry_after_ms\":");
    append_number(out, retry_after.count());
  }
  return end_message(std::move(out));
}

}  // namespace carillon::protocol
