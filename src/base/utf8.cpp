#include "base/utf8.hpp"

#include <cstring>

namespace carillon {

namespace {

// How many bytes at the front are surely ASCII; stops early rather than late.
std::size_t ascii_prefix(std::string_view text) {
  std::size_t size = 0;
  for (; size + 8 <= text.size(); size += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + size, 8);
    if ((word & 0x8080808080808080U) != 0) break;
  }
  return size;
}

}  // namespace

bool Utf8Validator::feed(std::string_view piece) {
  if (failed_) return false;
  std::size_t i = missing_ == 0 ? ascii_prefix(piece) : 0;
  while (i < piece.size()) {
    const auto byte = static_cast<std::uint8_t>(piece[i++]);
    if (missing_ > 0) {
      if (byte < low_ || byte > high_) return !(failed_ = true);
      low_ = 0x80;
      high_ = 0xBF;
      --missing_;
      continue;
    }
    if (byte < 0x80) {
      i += ascii_prefix(piece.substr(i));
    } else if (byte >= 0xC2 && byte <= 0xDF) {
      missing_ = 1;
    } else if (byte >= 0xE0 && byte <= 0xEF) {
      missing_ = 2;
      if (byte == 0xE0) low_ = 0xA0;   // below: overlong
      if (byte == 0xED) high_ = 0x9F;  // above: a surrogate
    } else if (byte >= 0xF0 && byte <= 0xF4) {
      missing_ = 3;
      if (byte == 0xF0) low_ = 0x90;   // below: overlong
      if (byte == 0xF4) high_ = 0x8F;  // above: more than U+10FFFF
    } else {
      return !(failed_ = true);
    }
  }
  return true;
}

bool is_utf8(std::string_view text) {
  Utf8Validator validator;
  return validator.feed(text) && validator.complete();
}

bool has_control_character(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<std::uint8_t>(text[i]);
    if (byte < 0x20 || byte == 0x7F) return true;
    // C1 is C2 80 to C2 9F.
    if (byte == 0xC2 && i + 1 < text.size() && static_cast<std::uint8_t>(text[i + 1]) < 0xA0) return true;
  }
  return false;
}

}  // namespace carillon
