#pragma once

#include <cstdint>
#include <optional>
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

// A notification as its complete text frame, and where a mark goes into it.
struct EncodedNotification {
  std::string frame;
  std::uint32_t mark_at = 0;
};
// `logged_at` stands in for an absent timestamp (8.2).
[[nodiscard]] EncodedNotification encode_notification(const Event& event, WallTime logged_at, const Position& position,
                                                      bool late);

// What a client asked for that comes back, and the answer (6.1).
struct Resumption {
  std::string_view requested;    // as the client wrote it; left out of the answer when it does not look like a position
  std::optional<GapReason> gap;  // nothing: complete
};
struct AuthOk {
  std::string_view session_id;
  const Principal& principal;
  milliseconds heartbeat_interval;
  milliseconds heartbeat_timeout;
  std::optional<Resumption> resume = std::nullopt;
};
[[nodiscard]] std::string encode_auth_ok(const AuthOk& ok, WallTime now);
[[nodiscard]] std::string encode_auth_expiring(WallTime expires_at, WallTime now);
// From here on everything is new: `position` is what the client has been brought to, after `replayed` notifications of
// a resume (6.2, 6.3).
[[nodiscard]] std::string encode_live(const Position& position, std::uint64_t replayed, WallTime now);
[[nodiscard]] std::string encode_shutting_down(milliseconds retry_after, WallTime now);
// `delivered`: notifications sent on this connection up to `position` (4.2).
[[nodiscard]] std::string encode_ping(const Position& position, std::uint64_t delivered, WallTime now);
[[nodiscard]] std::string encode_pong(WallTime now);
// `event` is one of auth_failed, invalid_message, internal_server_error (4.4). `retry_after` zero: left out.
[[nodiscard]] std::string encode_error(std::string_view event, std::string_view code, std::string_view message,
                                       WallTime now, milliseconds retry_after = milliseconds{0});

}  // namespace carillon::protocol
