#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace carillon::protocol {

// "YYYY-MM-DDTHH:mm:ss.sssZ" (protocol 3.1), always 24 characters. What lies outside the years 0000 to 9999, as the
// expiry of a token may, is written as the nearest moment inside.
[[nodiscard]] std::string format_timestamp(WallTime time);
void append_timestamp(std::string& out, WallTime time);

// RFC 3339 with any offset and fraction, normalised to UTC milliseconds (protocol 8.2); digits beyond are cut off.
// Nothing when it is not such a text, not a date that exists, or not in the years 0000 to 9999 of UTC. A leap second
// (:60, at the end of a month in UTC) counts as the second after it.
[[nodiscard]] std::optional<WallTime> parse_timestamp(std::string_view text);

}  // namespace carillon::protocol
