#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "event/event.hpp"
#include "event/position.hpp"
#include "event/principal.hpp"

// The JSON text of every message the server sends (protocol 2.4, 4, 5). Pure; no framing.
namespace carillon::protocol {

// The time by which a node should have published an event of this kind, counted from its timestamp (protocol 4.1).
[[nodiscard]] milliseconds lateness_limit(EventKind kind);

// `logged_at` stands in for an absent timestamp (8.2).
[[nodiscard]] std::string encode_notification(const Event& event, WallTime logged_at, const Position& position,
                                              bool late);

struct AuthOk {
  std::string_view session_id;
  const Principal& principal;
  milliseconds heartbeat_interval;
  milliseconds heartbeat_timeout;
};
[[nodiscard]] std::string encode_auth_ok(const AuthOk& ok, WallTime now);
[[nodiscard]] std::string encode_auth_expiring(WallTime expires_at, WallTime now);
[[nodiscard]] std::string encode_shutting_down(milliseconds retry_after, WallTime now);
// `delivered`: notifications sent on this connection up to `position` (4.2).
[[nodiscard]] std::string encode_ping(const Position& position, std::uint64_t delivered, WallTime now);
[[nodiscard]] std::string encode_pong(WallTime now);
// `event` is one of auth_failed, invalid_message, internal_server_error (4.4). `retry_after` zero: left out.
[[nodiscard]] std::string encode_error(std::string_view event, std::string_view code, std::string_view message,
                                       WallTime now, milliseconds retry_after = milliseconds{0});

}  // namespace carillon::protocol
