#include "base/percent.hpp"

#include <cstdint>

#include "base/number.hpp"

namespace carillon {

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string decoded;
  while (!text.empty()) {
    if (!text.starts_with('%')) {
      decoded += text.front();
      text.remove_prefix(1);
      continue;
    }
    const auto byte = text.size() < 3 ? std::nullopt : parse_number<std::uint8_t>(text.substr(1, 2), 16);
    if (!byte) return std::nullopt;
    decoded += static_cast<char>(*byte);
    text.remove_prefix(3);
  }
  return decoded;
}

}  // namespace carillon
