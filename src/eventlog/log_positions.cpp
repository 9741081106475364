#include "eventlog/log_positions.hpp"

#include <array>
#include <charconv>
#include <optional>
#include <system_error>

namespace carillon::eventlog {
namespace {

template <class Number>
void append_number(std::string& out, Number number, int base) {
  std::array<char, 20> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, base);
  out.append(digits.data(), end.ptr);
}

// A number as append_number() writes it, and no other way: each position has one text.
template <class Number>
std::optional<Number> read_number(std::string_view text, int base) {
  Number number = 0;
  if (std::from_chars(text.begin(), text.end(), number, base).ec != std::errc()) return std::nullopt;
  std::string again;
  append_number(again, number, base);
  if (again != text) return std::nullopt;
  return number;
}

}  // namespace

LogPositions::LogPositions(char kind, std::uint32_t epoch) : kind_(kind), prefix_(1, kind) {
  append_number(prefix_, epoch, 16);
  prefix_ += '.';
}

Position LogPositions::of(Ordinal number) const {
  Position position{prefix_};
  append_number(position.text, number, 10);
  return position;
}

std::expected<Ordinal, GapReason> LogPositions::locate(std::string_view position, Ordinal last) const {
  const std::size_t dot = position.find('.');
  if (dot == std::string_view::npos || !position.starts_with(kind_)) return std::unexpected(GapReason::unknown);
  const auto epoch = read_number<std::uint32_t>(position.substr(1, dot - 1), 16);
  const auto number = read_number<Ordinal>(position.substr(dot + 1), 10);
  if (!epoch || !number) return std::unexpected(GapReason::unknown);
  if (!position.starts_with(prefix_)) return std::unexpected(GapReason::epoch);
  if (*number > last) return std::unexpected(GapReason::unknown);
  return *number;
}

}  // namespace carillon::eventlog
