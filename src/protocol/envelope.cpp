#include "protocol/envelope.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "protocol/field.hpp"
#include "protocol/payload.hpp"
#include "protocol/timestamp.hpp"

namespace carillon::protocol {

namespace {

using json::Kind;
using json::Value;

constexpr std::size_t kIdBytesMax = 128;
constexpr std::size_t kAudienceUsersMax = 1000;
constexpr std::size_t kUsualPayloadBytes = 384;  // room for most, so that few grow while they are written

bool is_printable_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c <= 0x7E; });
}

// The event while its envelope is read.
struct Draft {
  Event event;
  WallTime now;
};

MaybeFault read_event(const Value& value, Draft& draft) {
  if (!value.is(Kind::string)) return wrong_type("a string");
  const auto kind = event_kind(value.text());
  if (!kind) return fault("not_allowed", "must be one of new_trade_signal, order_update, system_alert");
  draft.event.kind = *kind;
  return std::nullopt;
}

MaybeFault read_id(const Value& value, Draft& draft) {
  if (!value.is(Kind::string)) return wrong_type("a string");
  const std::string_view id = value.text();
  if (id.empty() || id.size() > kIdBytesMax) return fault("out_of_range", "must be 1 to 128 characters long");
  if (!is_printable_ascii(id)) return fault("not_allowed", "must be printable ASCII");
  draft.event.id = id;
  return std::nullopt;
}

MaybeFault read_timestamp(const Value& value, Draft& draft) {
  if (!value.is(Kind::string)) return wrong_type("a string");
  const auto time = parse_timestamp(value.text());
  if (!time) return fault("bad_timestamp", "must be an RFC 3339 date and time, as 2026-11-22T12:00:00.123Z");
  if (*time > draft.now + kFutureMax) return fault("out_of_range", "must not be more than 24 h in the future");
  draft.event.timestamp = time;
  return std::nullopt;
}

MaybeFault read_user_id(const Value& value, Draft& draft) {
  // Never ignored: an event that was meant for one user must not go to all.
  if (draft.event.kind != EventKind::order_update)
    return fault("not_allowed", "belongs to order_update only; use audience to narrow other events");
  if (auto wrong = check_text(value)) return wrong;
  draft.event.user_id = value.text();
  return std::nullopt;
}

MaybeFault read_users(const Value& users, std::vector<UserId>& audience) {
  if (!users.is(Kind::array)) return wrong_type("an array of strings");
  if (users.size() == 0 || users.size() > kAudienceUsersMax) return fault("out_of_range", "must name 1 to 1000 users");
  audience.reserve(users.size());
  for (const Value user : users) {
    if (auto wrong = check_text(user)) return inside(std::to_string(audience.size()), std::move(*wrong));
    audience.emplace_back(user.text());
  }
  std::sort(audience.begin(), audience.end());
  audience.erase(std::unique(audience.begin(), audience.end()), audience.end());
  return std::nullopt;
}

MaybeFault read_audience(const Value& audience, Draft& draft) {
  if (draft.event.kind == EventKind::order_update)
    return fault("not_allowed", "narrows signals and alerts; an order_update goes to its user_id");
  if (!audience.is(Kind::object)) return wrong_type("an object");
  const auto users = audience.find("users");
  if (!users) return missing("users");
  if (audience.size() > 1) return fault("not_allowed", "must have no other member than users");
  if (auto wrong = read_users(*users, draft.event.audience)) return inside("users", std::move(*wrong));
  return std::nullopt;
}

// Of a payload that was checked.
void read_facts(Event& event, const Value& payload) {
  if (event.kind == EventKind::system_alert) event.level = *alert_level(payload.find("level")->text());
  if (event.kind != EventKind::order_update) return;
  event.order = OrderFacts{.order_id = std::string(payload.find("order_id")->text()),
                           .status = *order_status(payload.find("status")->text()),
                           .quantity_filled = *Decimal::parse(payload.find("quantity_filled")->text())};
}

MaybeFault read_payload(const Value& payload, Draft& draft) {
  if (!payload.is(Kind::object)) return wrong_type("an object");
  if (auto wrong = check_payload(draft.event.kind, payload)) return wrong;
  read_facts(draft.event, payload);
  draft.event.payload.reserve(kUsualPayloadBytes);
  payload.append_to(draft.event.payload);
  if (draft.event.payload.size() > kPayloadBytesMax)
    return fault("too_large", "must be at most " + std::to_string(kPayloadBytesMax) + " bytes of compact JSON");
  return std::nullopt;
}

struct Member {
  std::string_view name;
  MaybeFault (*read)(const Value&, Draft&);
};

// `event` comes first: what the others may be depends on it.
constexpr Member kMembers[] = {{"event", read_event},         {"id", read_id},
                               {"timestamp", read_timestamp}, {"user_id", read_user_id},
                               {"audience", read_audience},   {"payload", read_payload}};

bool is_required(std::string_view member, EventKind kind) {
  return member == "event" || member == "payload" || (member == "user_id" && kind == EventKind::order_update);
}

MaybeFault read_members(const Value& envelope, Draft& draft) {
  for (const Member& member : kMembers) {
    const auto value = envelope.find(member.name);
    if (!value && is_required(member.name, draft.event.kind)) return missing(member.name);
    if (!value) continue;
    if (auto wrong = member.read(*value, draft)) return inside(member.name, std::move(*wrong));
  }
  return std::nullopt;
}

}  // namespace

std::expected<Event, EnvelopeFault> parse_envelope(const json::Value& envelope, WallTime now) {
  if (!envelope.is(Kind::object)) return std::unexpected(wrong_type("an object"));
  if (envelope.values() > kEnvelopeLimits.values_max)
    return std::unexpected(fault("too_large", "must hold at most 4096 values"));
  Draft draft{.event = {}, .now = now};
  if (auto wrong = read_members(envelope, draft)) return std::unexpected(std::move(*wrong));
  return std::move(draft.event);
}

std::expected<Event, EnvelopeFault> parse_envelope(std::string_view text, WallTime now) {
  if (text.size() > kPublishBytesMax) return std::unexpected(fault("too_large", "must be at most 1 MiB"));
  const auto document = json::Document::parse(text, kEnvelopeLimits);
  if (!document) return std::unexpected(fault("not_json", document.error().message));
  return parse_envelope(document->root(), now);
}

std::string encode_envelope(const Event& event) {
  std::string out;
  out.reserve(event.payload.size() + event.id.size() + event.user_id.size() + 128);
  out.push_back('{');
  if (!event.id.empty()) {
    out.append("\"id\":");
    json::append_string(out, event.id);
    out.push_back(',');
  }
  out.append("\"event\":\"").append(to_string(event.kind)).append("\",");
  if (event.timestamp) {
    out.append("\"timestamp\":\"");
    append_timestamp(out, *event.timestamp);
    out.append("\",");
  }
  if (!event.user_id.empty()) {
    out.append("\"user_id\":");
    json::append_string(out, event.user_id);
    out.push_back(',');
  }
  if (!event.audience.empty()) {
    out.append("\"audience\":{\"users\":[");
    for (const UserId& user : event.audience) {
      json::append_string(out, user);
      out.push_back(',');
    }
    out.back() = ']';
    out.append("},");
  }
  out.append("\"payload\":").append(event.payload).push_back('}');
  return out;
}

}  // namespace carillon::protocol
