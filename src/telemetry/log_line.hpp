#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "telemetry/log.hpp"

// How a log line looks. Pure functions; any thread.
namespace carillon::telemetry {

// A longer string value is cut here, so that a peer's 64 KiB header does not become a 64 KiB line.
inline constexpr std::size_t kFieldBytesMax = 1024;

// One line with its newline. Text:
//   2026-11-22T12:00:00.123Z info  connection closed code=4411 user="a b"
// JSON: {"time":...,"level":...,"event":...} and the fields, whose keys are therefore none of these three.
// No value can end the line, hide or colour what follows it, or make the JSON invalid.
[[nodiscard]] std::string format_line(LogFormat format, WallTime time, Level level, std::string_view event,
                                      std::span<const Field> fields);

// "debug", "info", "warning", "error".
[[nodiscard]] std::string_view to_string(Level level);

}  // namespace carillon::telemetry
