#include "event/event.hpp"

#include <array>

#include "event/position.hpp"

namespace carillon {

namespace {
constexpr std::array<std::string_view, kEventKinds> kNames = {"new_trade_signal", "order_update", "system_alert"};
}

std::string_view to_string(EventKind kind) {
  return kNames.at(static_cast<std::size_t>(kind));
}

std::optional<EventKind> event_kind(std::string_view word) {
  for (std::size_t i = 0; i < kNames.size(); ++i)
    if (kNames.at(i) == word) return static_cast<EventKind>(i);
  return std::nullopt;
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
