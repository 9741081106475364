#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace carillon::protocol {

// The first byte of a frame: FIN and an opcode (RFC 6455 5.2).
enum class Opcode : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

// Appends one unfragmented, unmasked frame, as a server sends it (RFC 6455 5.1).
inline void append_frame(std::string& out, Opcode opcode, std::string_view payload) {
  const auto byte = [&](std::uint64_t value) { out.push_back(static_cast<char>(value & 0xFF)); };
  byte(0x80U | static_cast<std::uint8_t>(opcode));
  const std::uint64_t size = payload.size();
  if (size < 126) {
    byte(size);
  } else if (size <= 0xFFFF) {
    byte(126);
    byte(size >> 8);
    byte(size);
  } else {
    byte(127);
    for (int shift = 56; shift >= 0; shift -= 8) byte(size >> shift);
  }
  out.append(payload);
}

inline void append_text_frame(std::string& out, std::string_view json) {
  append_frame(out, Opcode::text, json);
}

}  // namespace carillon::protocol
