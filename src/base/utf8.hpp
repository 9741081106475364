#pragma once

#include <cstdint>
#include <string_view>

namespace carillon {

// Checks UTF-8 (RFC 3629) that arrives in pieces, cut anywhere: a text message over frames and packets (RFC 6455 8.1).
// A piece is refused at the first byte that no valid text can have there, so overlong forms, surrogates and what lies
// above U+10FFFF fall at their first or second byte. Keeps three bytes of state and no text. One thread.
class Utf8Validator {
 public:
  // False at the first bad byte; from then on always.
  [[nodiscard]] bool feed(std::string_view piece);
  // Whether all that was fed is valid and no character is left unfinished.
  [[nodiscard]] bool complete() const { return !failed_ && missing_ == 0; }

 private:
  // What the next continuation byte may be; only the second byte of a character has narrower bounds.
  std::uint8_t low_ = 0x80, high_ = 0xBF;
  std::uint8_t missing_ = 0;  // continuation bytes still due
  bool failed_ = false;
};

[[nodiscard]] bool is_utf8(std::string_view text);

// Whether valid UTF-8 holds a control character: C0, DEL or C1 (U+0080 to U+009F), which no identifier or message of
// ours may have (protocol 5.1).
[[nodiscard]] bool has_control_character(std::string_view text);

}  // namespace carillon
