#include "eventlog/log_positions.hpp"

#include <fmt/format.h>

#include <utility>

#include "base/number.hpp"

namespace carillon::eventlog {
namespace {

// Exactly as it is written: each position has one text.
bool is_epoch(std::string_view text) {
  const auto epoch = parse_number<std::uint32_t>(text, 16);
  return epoch && epoch_text(*epoch) == text;
}

}  // namespace

std::string epoch_text(std::uint32_t epoch) {
  return fmt::format("{:x}", epoch);
}

LogPositions::LogPositions(char kind, std::uint32_t epoch) : kind_(kind), prefix_(1, kind) {
  prefix_ += epoch_text(epoch) + ".";
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
