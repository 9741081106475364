#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "event/position.hpp"

namespace carillon::eventlog {

// Positions of one log that numbers its records itself: the letter of its kind, its epoch in hexadecimal, ".", the
// record's number, which is the ordinal: j1a2b3c4d.42. Number 0 stands before the first record.
class LogPositions {
 public:
  LogPositions(char kind, std::uint32_t epoch);
  [[nodiscard]] Position of(Ordinal number) const;
  // Reads what a client names. `epoch`: it is of another log of this kind; `unknown`: it is after `last`, or not
  // exactly of the form above, as a position of another kind of log is not.
  [[nodiscard]] std::expected<Ordinal, GapReason> locate(std::string_view position, Ordinal last) const;

 private:
  char kind_;
  std::string prefix_;
};

}  // namespace carillon::eventlog
