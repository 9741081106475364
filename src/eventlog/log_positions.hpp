#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "event/place.hpp"
#include "event/position.hpp"

namespace carillon::eventlog {

// An epoch as positions and notes have it: in hexadecimal, without zeros before it.
[[nodiscard]] std::string epoch_text(std::uint32_t epoch);

// Positions of one log: the letter of its kind, its epoch, ".", and the text of the place: j1a2b3c4d.42.
class LogPositions {
 public:
  LogPositions(char kind, std::uint32_t epoch);
  [[nodiscard]] Position of(const Place& place) const { return {prefix_ + text_of(place)}; }
  // Reads what a client names. `epoch`: it is of another log of this kind; `unknown`: it is not exactly of the form
  // above, as a position of another kind of log is not.
  [[nodiscard]] std::expected<Place, GapReason> locate(std::string_view position) const;

  // For a log of one lane that numbers its records itself. Number 0 stands before the first record.
  [[nodiscard]] Position of(Ordinal number) const { return of(Place(Offset{number})); }
  // As locate(), and `unknown` where it is not the position of a number.
  [[nodiscard]] std::expected<Ordinal, GapReason> number(std::string_view position) const;

 private:
  char kind_;
  std::string prefix_;
};

}  // namespace carillon::eventlog
