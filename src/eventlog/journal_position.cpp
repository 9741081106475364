#include "eventlog/journal_position.hpp"

#include <array>
#include <charconv>

namespace carillon::eventlog {
namespace {

void append_number(std::string& out, std::uint64_t number, int base) {
  std::array<char, 20> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, base);
  out.append(digits.data(), end.ptr);
}

}  // namespace

JournalPositions::JournalPositions(std::uint32_t epoch) : prefix_("j") {
  append_number(prefix_, epoch, 16);
  prefix_ += '.';
}

Position JournalPositions::of(std::uint64_t sequence) const {
  Position position{prefix_};
  append_number(position.text, sequence, 10);
  return position;
}

}  // namespace carillon::eventlog
