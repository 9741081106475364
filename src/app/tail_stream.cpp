#include "app/tail_stream.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "app/notification_text.hpp"
#include "event/position.hpp"

namespace carillon::app {
namespace {

// Before the server has said how often it beats.
constexpr milliseconds kFirstSilenceMax{30'000};
constexpr std::string_view kPong = R"({"type":"heartbeat","event":"pong"})";

milliseconds duration_of(const json::Value& object, std::string_view member) {
  constexpr std::uint64_t kMost = 3'600'000;
  return milliseconds{std::min(object.find_count(member).value_or(0), kMost)};
}

std::string text_of(const json::Value& object, std::string_view member) {
  return for_terminal(object.find_string(member).value_or(""));
}

}  // namespace

void TailStream::begin_connection() {
  delivered_ = 0;
  is_accepted_ = false;
  silence_max_ = kFirstSilenceMax;
  retry_after_ = milliseconds{0};
  refusal_.clear();
}

TailStream::Reaction TailStream::take(std::string_view message) {
  const auto document = json::Document::parse(message);
  const auto payload = document ? document->root().find("payload") : std::nullopt;
  if (!payload) return {.notice = "a message of the server is not readable"};
  const std::string_view type = document->root().find_string("type").value_or("");
  if (type == "notification") return take_notification(message, document->root());
  const std::string_view event = document->root().find_string("event").value_or("");
  if (type == "heartbeat" && event == "ping") return answer_ping(*payload);
  if (type == "error") return take_error(event, *payload);
  if (event == "auth_ok") return take_auth_ok(*payload);
  if (event == "live") return take_live(*payload);
  if (event == "auth_expiring") return {.notice = "the token expires at " + text_of(*payload, "expires_at")};
  if (event == "shutting_down") {
    retry_after_ = duration_of(*payload, "retry_after_ms");
    return {.notice = "the server is shutting down"};
  }
  return {};
}

TailStream::Reaction TailStream::take_notification(std::string_view message, const json::Value& notification) {
  ++delivered_;
  if (!notification.has_true("snapshot")) advance(notification.find_string("id").value_or(""));
  return {.print = as_json_ ? std::string(message) : notification_text(notification, palette_)};
}

TailStream::Reaction TailStream::answer_ping(const json::Value& payload) {
  Reaction reaction{.answer = std::string(kPong)};
  advance(payload.find_string("position").value_or(""));
  const std::uint64_t counted = payload.find_count("delivered").value_or(0);
  if (counted != delivered_)
    reaction.notice = fmt::format("the server has sent {} notifications, {} came here", counted, delivered_);
  return reaction;
}

TailStream::Reaction TailStream::take_error(std::string_view event, const json::Value& payload) {
  const std::string said = fmt::format("{}: {}", text_of(payload, "code"), text_of(payload, "message"));
  retry_after_ = std::max(retry_after_, duration_of(payload, "retry_after_ms"));
  if (event == "auth_failed") refusal_ = said;
  return {.notice = fmt::format("the server says {}", said)};
}

TailStream::Reaction TailStream::take_auth_ok(const json::Value& payload) {
  is_accepted_ = true;
  silence_max_ = duration_of(payload, "heartbeat_interval_ms") + duration_of(payload, "heartbeat_timeout_ms");
  std::string grants;
  if (const auto list = payload.find("grants"))
    for (const json::Value grant : *list) grants += ' ' + for_terminal(grant.text());
  Reaction reaction{.notice = fmt::format("connected as {}, granted{}", text_of(payload, "user_id"), grants)};
  reaction.notice += gap_notice(payload);
  return reaction;
}

// What of a resume does not follow (protocol 6.1); empty: all of it does, or none was asked for.
std::string TailStream::gap_notice(const json::Value& payload) const {
  if (position_.empty()) return {};
  const std::string since = "; events since " + for_terminal(position_) + " may be missing: ";
  const auto resume = payload.find("resume");
  if (!resume) return since + "the server does not resume";
  if (resume->has_true("complete")) return {};
  const std::string_view reason = resume->find_string("reason").value_or("");
  if (reason == "trimmed") return since + "trimmed, the server no longer has them";
  if (reason == "epoch") return since + "epoch, the server's log is another one";
  if (reason == "unknown") return since + "unknown, the server's log never gave out that position";
  return since + for_terminal(reason);
}

TailStream::Reaction TailStream::take_live(const json::Value& payload) {
  advance(payload.find_string("position").value_or(""));
  const std::uint64_t replayed = payload.find_count("replayed").value_or(0);
  return {.notice = fmt::format("live at {}{}", text_of(payload, "position"),
                                replayed > 0 ? fmt::format(", {} replayed", replayed) : "")};
}

void TailStream::advance(std::string_view position) {
  if (is_position(position)) position_ = position;
}

}  // namespace carillon::app
