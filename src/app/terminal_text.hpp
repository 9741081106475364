#pragma once

#include <string>
#include <string_view>

namespace carillon::app {

// What a server or a producer wrote, safe to show on a terminal: control characters, which move cursors and change
// colours, become question marks, and so does what is no UTF-8.
[[nodiscard]] std::string for_terminal(std::string_view text);

// Wraps text in ANSI colours, or leaves it as it is.
class Palette {
 public:
  explicit Palette(bool is_on) : is_on_(is_on) {}
  // Colour where `fd` is a terminal, unless NO_COLOR is set (https://no-color.org) or TERM is dumb.
  [[nodiscard]] static Palette for_output(int fd);

  [[nodiscard]] std::string dim(std::string_view text) const { return paint("2", text); }
  [[nodiscard]] std::string bold(std::string_view text) const { return paint("1", text); }
  [[nodiscard]] std::string green(std::string_view text) const { return paint("32", text); }
  [[nodiscard]] std::string red(std::string_view text) const { return paint("31", text); }
  [[nodiscard]] std::string yellow(std::string_view text) const { return paint("33", text); }
  [[nodiscard]] std::string alarm(std::string_view text) const { return paint("1;97;41", text); }

 private:
  [[nodiscard]] std::string paint(const char* codes, std::string_view text) const;
  bool is_on_;
};

}  // namespace carillon::app
