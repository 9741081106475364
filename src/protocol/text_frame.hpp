#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/ensure.hpp"

namespace carillon::protocol {

// The first byte of a frame: FIN and an opcode (RFC 6455 5.2).
enum class Opcode : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

// Appends the header of one unfragmented, unmasked frame, as a server sends it (RFC 6455 5.1).
inline void append_frame_header(std::string& out, Opcode opcode, std::uint64_t size) {
  const auto byte = [&](std::uint64_t value) { out.push_back(static_cast<char>(value & 0xFF)); };
  byte(0x80U | static_cast<std::uint8_t>(opcode));
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
}

inline void append_frame(std::string& out, Opcode opcode, std::string_view payload) {
  append_frame_header(out, opcode, payload.size());
  out.append(payload);
}

inline void append_text_frame(std::string& out, std::string_view json) {
  append_frame(out, Opcode::text, json);
}

// The size of the header of an unmasked frame that begins `frame`.
inline std::size_t header_size(std::string_view frame) {
  const auto length = static_cast<unsigned char>(frame[1]);
  return length < 126 ? 2 : length == 126 ? 4 : 10;
}

// Appends the text frame `frame` with `member`, as `,"replayed":true`, put in before its place `at`.
inline void append_with_member(std::string& out, std::string_view frame, std::size_t at, std::string_view member) {
  const std::size_t begin = header_size(frame);
  append_frame_header(out, Opcode::text, frame.size() - begin + member.size());
  out.append(frame.substr(begin, at - begin)).append(member).append(frame.substr(at));
}

// The same for a frame in which `"id":"<old_id>"` stands right before `at`: with `id` instead, which needs no escapes.
inline void append_with_id(std::string& out, std::string_view frame, std::size_t at, std::string_view old_id,
                           std::string_view id, std::string_view member) {
  const std::size_t begin = header_size(frame);
  ensure(at > begin + old_id.size() && frame.substr(begin, at - begin - 1).ends_with(old_id) && frame[at - 1] == '"',
         "a notification's id stands before its mark");
  const std::size_t id_at = at - 1 - old_id.size();
  append_frame_header(out, Opcode::text, frame.size() - begin - old_id.size() + id.size() + member.size());
  out.append(frame.substr(begin, id_at - begin)).append(id).append("\"").append(member).append(frame.substr(at));
}

}  // namespace carillon::protocol
