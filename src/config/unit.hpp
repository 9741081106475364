#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Durations and sizes as people write them: a whole number and a unit without space between; 0 needs no unit.
namespace carillon::config {

// "250ms", "20s", "10m", "24h".
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
// In the largest unit that leaves a whole number: "10m", "90s".
[[nodiscard]] std::string format_duration(std::chrono::milliseconds duration);

// "512B", "16KiB", "1MiB", "1GiB", "1TiB".
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text);
[[nodiscard]] std::string format_size(std::uint64_t bytes);

}  // namespace carillon::config
