#pragma once

#include <cstdint>
#include <string>

#include "event/position.hpp"

namespace carillon::eventlog {

// Positions of one journal: "j", the epoch in hexadecimal, ".", the sequence: j1a2b3c4d.42.
class JournalPositions {
 public:
  explicit JournalPositions(std::uint32_t epoch);
  [[nodiscard]] Position of(std::uint64_t sequence) const;

 private:
  std::string prefix_;
};

}  // namespace carillon::eventlog
