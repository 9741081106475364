#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace carillon::protocol {

// "YYYY-MM-DDTHH:mm:ss.sssZ" (protocol 3.1), always 24 characters. `time` is in years 0000 to 9999.
[[nodiscard]] std::string format_timestamp(WallTime time);
void append_timestamp(std::string& out, WallTime time);

// RFC 3339 with any offset and fraction, normalised to UTC milliseconds (protocol 8.2); digits beyond are cut off.
// Nothing when it is not such a text or not a date that exists. A leap second (:60) counts as the next second.
[[nodiscard]] std::optional<WallTime> parse_timestamp(std::string_view text);

}  // namespace carillon::protocol
