#include "net/client_hello.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

namespace carillon::net {

namespace {

// Browsers with post-quantum key shares send 2 KiB and some twenty extensions.
constexpr std::size_t kBytesMax = 16 * 1024UL;
constexpr std::size_t kExtensionsMax = 64;

// Takes fields off the front of a message; nothing once it is too short.
class Fields {
 public:
  explicit Fields(std::string_view bytes) : left_(bytes) {}

  [[nodiscard]] bool empty() const { return left_.empty(); }
  std::optional<std::string_view> bytes(std::size_t size) {
    if (left_.size() < size) return std::nullopt;
    const auto taken = left_.substr(0, size);
    left_.remove_prefix(size);
    return taken;
  }
  std::optional<std::size_t> number(std::size_t size) {
    const auto digits = bytes(size);
    if (!digits) return std::nullopt;
    std::size_t value = 0;
    for (const char digit : *digits) value = value << 8 | static_cast<std::uint8_t>(digit);
    return value;
  }
  // A vector, its length before it.
  std::optional<std::string_view> vector(std::size_t length_bytes) {
    const auto size = number(length_bytes);
    return size ? bytes(*size) : std::nullopt;
  }

 private:
  std::string_view left_;
};

HelloFault check_extensions(std::string_view extensions) {
  std::array<std::size_t, kExtensionsMax> types{};
  std::size_t count = 0;
  for (Fields left(extensions); !left.empty(); ++count) {
    const auto type = left.number(2);
    if (!type || !left.vector(2)) return HelloFault::none;
    if (count == kExtensionsMax) return HelloFault::excessive;
    const auto seen_end = types.begin() + static_cast<std::ptrdiff_t>(count);
    if (std::find(types.begin(), seen_end, *type) != seen_end) return HelloFault::repeated_extension;
    *seen_end = *type;
  }
  return HelloFault::none;
}

}  // namespace

HelloFault check_client_hello(std::string_view message) {
  if (message.size() > kBytesMax) return HelloFault::excessive;
  Fields fields(message);
  constexpr std::size_t kBeforeSessionId = 4 + 2 + 32;  // header, legacy version, random
  const bool whole = fields.bytes(kBeforeSessionId) && fields.vector(1) && fields.vector(2) && fields.vector(1);
  const auto extensions = whole ? fields.vector(2) : std::nullopt;
  return extensions ? check_extensions(*extensions) : HelloFault::none;
}

}  // namespace carillon::net
