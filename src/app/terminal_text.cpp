#include "app/terminal_text.hpp"

#include <unistd.h>

#include <cstdlib>

#include "base/utf8.hpp"

namespace carillon::app {

std::string for_terminal(std::string_view text) {
  std::string shown;
  const bool is_valid = is_utf8(text);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool is_c1 = byte == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0;
    if (is_c1) ++i;
    const bool is_shown = byte >= 0x20 && byte != 0x7f && !is_c1 && (is_valid || byte < 0x80);
    shown += is_shown ? text[i] : '?';
  }
  return shown;
}

Palette Palette::for_output(int fd) {
  const char* no_colour = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  const bool is_unwanted = no_colour != nullptr && *no_colour != '\0';
  return Palette(::isatty(fd) == 1 && !is_unwanted && terminal != nullptr && std::string_view(terminal) != "dumb");
}

std::string Palette::paint(const char* codes, std::string_view text) const {
  if (!is_on_) return std::string(text);
  return std::string("\x1b[").append(codes).append("m").append(text).append("\x1b[0m");
}

}  // namespace carillon::app
