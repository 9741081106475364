#include "fanout/server_frames.hpp"

namespace carillon::bench {

std::optional<ServerFrames::Frame> ServerFrames::cut(std::string_view& left) {
  if (left.size() < 2) return std::nullopt;
  const auto first = static_cast<std::uint8_t>(left[0]), second = static_cast<std::uint8_t>(left[1]);
  const std::size_t header = protocol::header_size(left);
  // Neither reserved bits, which no extension was agreed on for, nor a mask, which is the clients'.
  is_broken_ = (first & 0x70) != 0 || (second & 0x80) != 0;
  if (is_broken_ || left.size() < header) return std::nullopt;
  std::uint64_t size = second;
  if (header > 2) {
    size = 0;
    for (const char byte : left.substr(2, header - 2)) size = size << 8 | static_cast<std::uint8_t>(byte);
  }
  is_broken_ = size > kPayloadBytesMax;
  if (is_broken_ || left.size() < header + size) return std::nullopt;
  const Frame frame{.opcode = static_cast<protocol::Opcode>(first & 0x0F),
                    .is_last = (first & 0x80) != 0,
                    .payload = left.substr(header, static_cast<std::size_t>(size))};
  left.remove_prefix(header + static_cast<std::size_t>(size));
  return frame;
}

}  // namespace carillon::bench
