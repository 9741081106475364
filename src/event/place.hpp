#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "event/position.hpp"

namespace carillon {

// Where a record stands in its lane of a log: larger is later. {0, 0} stands before the first record. A log that
// numbers its records counts with `high` alone; a Redis entry has the milliseconds in `high` and its sequence in `low`.
struct Offset {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  auto operator<=>(const Offset&) const = default;
};

// How far along a log: the last record passed in each of its lanes. A log is one lane, but for a Kafka topic, which has
// one for each partition; order holds within a lane. A place may name fewer lanes than the log has by now: in the
// others nothing has been passed.
class Place {
 public:
  Place() = default;
  explicit Place(Offset offset) : lanes_{offset} {}
  explicit Place(std::vector<Offset> lanes) : lanes_(std::move(lanes)) {}

  [[nodiscard]] std::size_t lanes() const { return lanes_.size(); }
  [[nodiscard]] Offset at(std::size_t lane) const { return lane < lanes_.size() ? lanes_[lane] : Offset{}; }
  // That record, or all that this other place has passed, has been passed.
  [[nodiscard]] bool covers(std::size_t lane, Offset offset) const { return offset <= at(lane); }
  [[nodiscard]] bool covers(const Place& other) const;
  // Passes what is later than what was passed.
  void pass(std::size_t lane, Offset offset);
  void pass(const Place& other);
  // Every lane up to this one is named from now on.
  void widen(std::size_t lanes);

  // The same lanes passed equally far; a lane that is not named is one in which nothing has been passed.
  bool operator==(const Place& other) const { return covers(other) && other.covers(*this); }

 private:
  std::vector<Offset> lanes_;
};

// More lanes than this do not fit into a position (protocol 4.1).
inline constexpr std::size_t kLanesMax = 32;

// The text of a place: one number for each lane, divided by ".", as 42 or 1700000000000-5: a position is a log's mark,
// ".", and this. Each place of so many lanes has one text.
[[nodiscard]] std::string text_of(const Place& place);
[[nodiscard]] std::optional<Place> parse_place(std::string_view text);

// What a position's place stands behind, with the ".": which log it is of.
[[nodiscard]] std::string_view mark_of(const Position& position);
// The place that a position of our own making stands for.
[[nodiscard]] Place place_of(const Position& position);
// The position of `place` in the log that `other` is of.
[[nodiscard]] Position position_like(const Position& other, const Place& place);

}  // namespace carillon
