#include "config/unit.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <ranges>
#include <span>

namespace carillon::config {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

// Smallest first; each divides the next.
constexpr std::array<Unit, 4> kDurations{{{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}}};
constexpr std::array<Unit, 5> kSizes{
    {{"B", 1}, {"KiB", 1ULL << 10U}, {"MiB", 1ULL << 20U}, {"GiB", 1ULL << 30U}, {"TiB", 1ULL << 40U}}};

std::optional<std::uint64_t> parse(std::string_view text, std::span<const Unit> units) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  const std::string_view name(end, text.data() + text.size());
  if (name.empty() && number == 0) return 0;
  for (const Unit& unit : units) {
    constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (unit.name == name) return number <= kMost / unit.factor ? std::optional(number * unit.factor) : std::nullopt;
  }
  return std::nullopt;
}

std::string format(std::uint64_t value, std::span<const Unit> units) {
  if (value == 0) return "0";
  for (const Unit& unit : units | std::views::reverse)
    if (value % unit.factor == 0) return std::to_string(value / unit.factor).append(unit.name);
  return std::to_string(value);
}

}  // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  const auto count = parse(text, kDurations);
  if (!count) return std::nullopt;
  return std::chrono::milliseconds{*count};
}

std::string format_duration(std::chrono::milliseconds duration) {
  return format(static_cast<std::uint64_t>(duration.count()), kDurations);
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  return parse(text, kSizes);
}

std::string format_size(std::uint64_t bytes) {
  return format(bytes, kSizes);
}

}  // namespace carillon::config
