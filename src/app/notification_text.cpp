#include "app/notification_text.hpp"

#include <fmt/format.h>

namespace carillon::app {
namespace {

// Text of strings, digits of numbers as they came; "?" for what is missing.
std::string show(const json::Value& object, std::string_view member) {
  const auto value = object.find(member);
  return value ? for_terminal(value->text()) : "?";
}

// With words before it; nothing when the member is missing.
std::string show_if_there(std::string_view before, const json::Value& object, std::string_view member) {
  const auto value = object.find(member);
  return value ? fmt::format("{}{}", before, for_terminal(value->text())) : std::string();
}

std::string show_side(const std::string& side, const Palette& palette) {
  return side == "SELL" ? palette.red(side) : palette.green(side);
}

std::string show_list(const json::Value& object, std::string_view member) {
  std::string text;
  if (const auto list = object.find(member))
    for (const json::Value item : *list) text += (text.empty() ? "" : ", ") + for_terminal(item.text());
  return text;
}

std::string signal_text(const json::Value& signal, const Palette& palette) {
  return fmt::format("{}  {}  entry {}  stop {}  target {}  by {}{}", palette.bold(show(signal, "instrument_id")),
                     show_side(show(signal, "direction"), palette), show(signal, "entry_price"),
                     show(signal, "stop_loss"), show_list(signal, "take_profit"), show(signal, "source_agent_id"),
                     show_if_there("  confidence ", signal, "confidence"));
}

std::string show_status(const std::string& status, const Palette& palette) {
  if (status == "FILLED") return palette.green(status);
  if (status == "REJECTED" || status == "EXPIRED") return palette.red(status);
  if (status == "CANCELED") return palette.yellow(status);
  return status;
}

std::string order_text(const json::Value& order, const Palette& palette) {
  return fmt::format("{}  {}  {} {}  {} {} of {}{}{}", show(order, "order_id"),
                     palette.bold(show(order, "instrument_id")), show_side(show(order, "side"), palette),
                     show(order, "type"), show_status(show(order, "status"), palette), show(order, "quantity_filled"),
                     show(order, "quantity_total"), show_if_there(" at ", order, "price_avg_filled"),
                     show_if_there("  ", order, "reason_failed"));
}

std::string show_level(const std::string& level, const Palette& palette) {
  if (level == "CRITICAL") return palette.alarm(level);
  if (level == "ERROR") return palette.red(level);
  if (level == "WARNING") return palette.yellow(level);
  return level;
}

std::string alert_text(const json::Value& alert, const Palette& palette) {
  return fmt::format("{}{}  {}", show_level(show(alert, "level"), palette), show_if_there("  ", alert, "component"),
                     show(alert, "message"));
}

// "12:00:00.123" of a timestamp in UTC.
std::string time_of(const json::Value& notification) {
  const std::string timestamp = show(notification, "timestamp");
  return timestamp.size() == 24 ? timestamp.substr(11, 12) : timestamp;
}

}  // namespace

std::string notification_text(const json::Value& notification, const Palette& palette) {
  const std::string event = show(notification, "event");
  const json::Value payload = notification.find("payload").value_or(notification);
  std::string text = palette.dim(time_of(notification)) + "  ";
  if (event == "new_trade_signal")
    text += "signal  " + signal_text(payload, palette);
  else if (event == "order_update")
    text += "order   " + order_text(payload, palette);
  else if (event == "system_alert")
    text += "alert   " + alert_text(payload, palette);
  else
    text += event;
  for (const std::string_view mark : {"late", "replayed", "snapshot"})
    if (notification.has_true(mark)) text += palette.dim(fmt::format("  ({})", mark));
  return text;
}

}  // namespace carillon::app
