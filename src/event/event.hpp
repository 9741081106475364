#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "event/decimal.hpp"
#include "event/principal.hpp"

namespace carillon {

enum class EventKind : std::uint8_t { new_trade_signal, order_update, system_alert };
inline constexpr std::size_t kEventKinds = 3;

[[nodiscard]] std::string_view to_string(EventKind kind);
[[nodiscard]] std::optional<EventKind> event_kind(std::string_view word);

enum class OrderStatus : std::uint8_t { submitted, partially_filled, filled, canceled, rejected, expired };
[[nodiscard]] std::string_view to_string(OrderStatus status);
[[nodiscard]] std::optional<OrderStatus> order_status(std::string_view word);
// Nothing can follow it.
[[nodiscard]] constexpr bool is_terminal(OrderStatus status) {
  return status != OrderStatus::submitted && status != OrderStatus::partially_filled;
}

// Orders that a node remembers at most.
inline constexpr std::size_t kOrdersMax = 1'000'000;

enum class AlertLevel : std::uint8_t { info, warning, error, critical };
[[nodiscard]] std::optional<AlertLevel> alert_level(std::string_view word);

// What the life of an order is judged by; read from the payload of an order_update (protocol 5).
struct OrderFacts {
  std::string order_id;
  OrderStatus status = OrderStatus::submitted;
  Decimal quantity_filled;

  bool operator==(const OrderFacts&) const = default;
};

// One valid event (protocol 5 and 8): what a producer said, checked, with nothing changed but white space and escapes.
struct Event {
  std::string id;  // 1 to 128 printable ASCII characters; empty only where the producer left the choice to us
  EventKind kind = EventKind::system_alert;
  std::optional<WallTime> timestamp;  // absent: the time the log got it (protocol 8.2)
  UserId user_id;                     // order_update: whose; else empty
  std::vector<UserId> audience;       // narrows to these users, sorted, unique; empty: not narrowed
  std::string payload;                // compact JSON object, numbers as they came
  std::optional<OrderFacts> order;    // order_update
  AlertLevel level{};                 // system_alert

  bool operator==(const Event&) const = default;
};

}  // namespace carillon
