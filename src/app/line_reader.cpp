#include "app/line_reader.hpp"

#include <utility>

namespace carillon::app {

void LineReader::feed(std::string_view piece) {
  for (std::size_t end = 0; (end = piece.find('\n')) != std::string_view::npos; piece.remove_prefix(end + 1)) {
    append(piece.substr(0, end));
    end_line();
  }
  append(piece);
}

void LineReader::finish() {
  if (!unfinished_.empty()) end_line();
}

std::optional<EnvelopeLine> LineReader::next() {
  if (lines_.empty()) return std::nullopt;
  EnvelopeLine line = std::move(lines_.front());
  lines_.pop_front();
  return line;
}

void LineReader::append(std::string_view part) {
  unfinished_.append(part.substr(0, line_bytes_max_ - unfinished_.size()));
}

void LineReader::end_line() {
  ++lines_ended_;
  if (unfinished_.ends_with('\r')) unfinished_.pop_back();
  const bool is_blank = unfinished_.find_first_not_of(" \t") == std::string::npos;
  if (!is_blank) lines_.push_back({lines_ended_, std::move(unfinished_)});
  unfinished_.clear();
}

}  // namespace carillon::app
