#pragma once

#include <string>

#include "app/terminal_text.hpp"
#include "base/json.hpp"

namespace carillon::app {

// A notification (protocol 5) as one line for people, without a line end:
//   12:00:00.123  order   o-1  BTC/USDT  BUY LIMIT  PARTIALLY_FILLED 0.10 of 1.50 at 64000.10
[[nodiscard]] std::string notification_text(const json::Value& notification, const Palette& palette);

}  // namespace carillon::app
