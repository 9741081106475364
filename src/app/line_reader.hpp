#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "app/envelope_line.hpp"

namespace carillon::app {

// Cuts input that arrives in pieces into lines, and numbers them. Blank lines count, but are not handed out. Of a line
// longer than `line_bytes_max` only that much is kept, so that the line is as wrong as it was.
class LineReader {
 public:
  explicit LineReader(std::size_t line_bytes_max) : line_bytes_max_(line_bytes_max) {}

  void feed(std::string_view piece);
  // No more pieces: the rest is a line too.
  void finish();
  // The next whole line, without its line end.
  [[nodiscard]] std::optional<EnvelopeLine> next();

 private:
  void append(std::string_view part);
  void end_line();

  std::size_t line_bytes_max_;
  std::string unfinished_;
  std::deque<EnvelopeLine> lines_;  // of the last piece fed, as long as the caller takes them all before the next
  std::uint64_t lines_ended_ = 0;
};

}  // namespace carillon::app
