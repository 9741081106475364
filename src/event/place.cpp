#include "event/place.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <system_error>

#include "base/ensure.hpp"

namespace carillon {
namespace {

void append_number(std::string& out, std::uint64_t number) {
  std::array<char, 20> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  out.append(digits.data(), end.ptr);
}

// Takes a number from the front of the text, as append_number() writes it and no other way.
std::optional<std::uint64_t> take_number(std::string_view& text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const auto size = static_cast<std::size_t>(end - text.data());
  if (error != std::errc() || (text.front() == '0' && size > 1)) return std::nullopt;
  text.remove_prefix(size);
  return number;
}

bool take(std::string_view& text, char expected) {
  if (text.empty() || text.front() != expected) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<Offset> take_offset(std::string_view& text) {
  const auto high = take_number(text);
  if (!high) return std::nullopt;
  if (!take(text, '-')) return Offset{*high, 0};
  const auto low = take_number(text);
  if (!low || *low == 0) return std::nullopt;
  return Offset{*high, *low};
}

}  // namespace

bool Place::covers(const Place& other) const {
  for (std::size_t lane = 0; lane < other.lanes_.size(); ++lane) {
    if (!covers(lane, other.lanes_[lane])) return false;
  }
  return true;
}

void Place::pass(std::size_t lane, Offset offset) {
  widen(lane + 1);
  lanes_[lane] = std::max(lanes_[lane], offset);
}

void Place::pass(const Place& other) {
  for (std::size_t lane = 0; lane < other.lanes_.size(); ++lane) pass(lane, other.lanes_[lane]);
}

void Place::widen(std::size_t lanes) {
  if (lanes_.size() < lanes) lanes_.resize(lanes);
}

std::string text_of(const Place& place) {
  std::string text;
  for (std::size_t lane = 0; lane < std::max<std::size_t>(1, place.lanes()); ++lane) {
    if (lane > 0) text += '.';
    const Offset offset = place.at(lane);
    append_number(text, offset.high);
    if (offset.low == 0) continue;
    text += '-';
    append_number(text, offset.low);
  }
  return text;
}

std::optional<Place> parse_place(std::string_view text) {
  std::vector<Offset> lanes;
  do {
    const auto offset = take_offset(text);
    if (!offset || lanes.size() == kLanesMax) return std::nullopt;
    lanes.push_back(*offset);
  } while (take(text, '.'));
  if (!text.empty()) return std::nullopt;
  return Place(std::move(lanes));
}

std::string_view mark_of(const Position& position) {
  return std::string_view(position.text).substr(0, position.text.find('.') + 1);
}

Place place_of(const Position& position) {
  auto place = parse_place(std::string_view(position.text).substr(mark_of(position).size()));
  ensure(place.has_value(), "a position that we made has a place");
  return std::move(*place);
}

Position position_like(const Position& other, const Place& place) {
  return {std::string(mark_of(other)) + text_of(place)};
}

}  // namespace carillon
