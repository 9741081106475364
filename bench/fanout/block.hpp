#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace carillon::bench {

// What carillon-floor is told: blocks of bytes, each after its length in four bytes, most significant first.
inline void append_block(std::string& out, std::string_view block) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(block.size() >> shift & 0xFF));
  out.append(block);
}

// Puts blocks together again from pieces of any size.
class Blocks {
 public:
  void feed(std::string_view piece) {
    bytes_.erase(0, taken_);
    taken_ = 0;
    bytes_.append(piece);
  }

  // Valid until the next feed().
  [[nodiscard]] std::optional<std::string_view> next() {
    const std::string_view rest = std::string_view(bytes_).substr(taken_);
    if (rest.size() < kLengthBytes) return std::nullopt;
    std::size_t size = 0;
    for (const char byte : rest.substr(0, kLengthBytes)) size = size << 8 | static_cast<std::uint8_t>(byte);
    if (rest.size() < kLengthBytes + size) return std::nullopt;
    taken_ += kLengthBytes + size;
    return rest.substr(kLengthBytes, size);
  }

 private:
  static constexpr std::size_t kLengthBytes = 4;

  std::string bytes_;
  std::size_t taken_ = 0;
};

}  // namespace carillon::bench
