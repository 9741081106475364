#include "event/event.hpp"

#include <array>

#include "event/position.hpp"

namespace carillon {

namespace {

// Each in the order of its enumeration.
constexpr std::array<std::string_view, kEventKinds> kKinds = {"new_trade_signal", "order_update", "system_alert"};
constexpr std::array<std::string_view, 6> kStatuses = {"SUBMITTED", "PARTIALLY_FILLED", "FILLED",
                                                       "CANCELED",  "REJECTED",         "EXPIRED"};
constexpr std::array<std::string_view, 4> kLevels = {"INFO", "WARNING", "ERROR", "CRITICAL"};
constexpr std::array<std::string_view, 3> kGapReasons = {"trimmed", "epoch", "unknown"};

template <class Enum, std::size_t N>
std::optional<Enum> value_of(const std::array<std::string_view, N>& words, std::string_view word) {
  for (std::size_t i = 0; i < N; ++i)
    if (words.at(i) == word) return static_cast<Enum>(i);
  return std::nullopt;
}

}  // namespace

std::string_view to_string(EventKind kind) {
  return kKinds.at(static_cast<std::size_t>(kind));
}

std::optional<EventKind> event_kind(std::string_view word) {
  return value_of<EventKind>(kKinds, word);
}

std::string_view to_string(OrderStatus status) {
  return kStatuses.at(static_cast<std::size_t>(status));
}

std::optional<OrderStatus> order_status(std::string_view word) {
  return value_of<OrderStatus>(kStatuses, word);
}

std::optional<AlertLevel> alert_level(std::string_view word) {
  return value_of<AlertLevel>(kLevels, word);
}

std::string_view to_string(GapReason reason) {
  return kGapReasons.at(static_cast<std::size_t>(reason));
}

bool is_position(std::string_view text) {
  if (text.empty() || text.size() > kPositionSizeMax) return false;
  for (const char c : text) {
    const bool allowed = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
                         c == '_' || c == '~' || c == '-';
    if (!allowed) return false;
  }
  return true;
}

}  // namespace carillon
