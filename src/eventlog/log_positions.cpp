#include "eventlog/log_positions.hpp"

#include <array>
#include <charconv>
#include <string>
#include <system_error>
#include <utility>

namespace carillon::eventlog {
namespace {

std::string hexadecimal(std::uint32_t number) {
  std::array<char, 8> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, 16);
  return {digits.data(), end.ptr};
}

// Exactly as it is written: each position has one text.
bool is_epoch(std::string_view text) {
  std::uint32_t number = 0;
  return std::from_chars(text.begin(), text.end(), number, 16).ec == std::errc() && hexadecimal(number) == text;
}

}  // namespace

LogPositions::LogPositions(char kind, std::uint32_t epoch) : kind_(kind), prefix_(1, kind) {
  prefix_ += hexadecimal(epoch) + ".";
}

std::expected<Place, GapReason> LogPositions::locate(std::string_view position) const {
  const std::size_t dot = position.find('.');
  if (dot == std::string_view::npos || !position.starts_with(kind_)) return std::unexpected(GapReason::unknown);
  auto place = parse_place(position.substr(dot + 1));
  if (!place || !is_epoch(position.substr(1, dot - 1))) return std::unexpected(GapReason::unknown);
  if (!position.starts_with(prefix_)) return std::unexpected(GapReason::epoch);
  return std::move(*place);
}

std::expected<Ordinal, GapReason> LogPositions::number(std::string_view position) const {
  const auto place = locate(position);
  if (!place) return std::unexpected(place.error());
  if (place->lanes() != 1 || place->at(0).low != 0) return std::unexpected(GapReason::unknown);
  return place->at(0).high;
}

}  // namespace carillon::eventlog
