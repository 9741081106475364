#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace carillon {

// What a token allows (protocol 2.5). A set of words.
enum class Grant : std::uint8_t { signals = 1, orders = 2, alerts = 4, publish = 8, admin = 16 };
inline constexpr std::array kGrants = {Grant::signals, Grant::orders, Grant::alerts, Grant::publish, Grant::admin};

[[nodiscard]] std::string_view to_string(Grant grant);
[[nodiscard]] std::optional<Grant> grant(std::string_view word);

class Grants {
 public:
  constexpr Grants() = default;
  constexpr void add(Grant grant) { bits_ = static_cast<std::uint8_t>(bits_ | static_cast<std::uint8_t>(grant)); }
  [[nodiscard]] constexpr bool has(Grant grant) const { return (bits_ & static_cast<std::uint8_t>(grant)) != 0; }
  [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }
  bool operator==(const Grants&) const = default;

 private:
  std::uint8_t bits_ = 0;
};

// The claim `sub`, compared byte by byte (protocol 8.3). 1 to 256 bytes.
using UserId = std::string;

// Who a verified token says the peer is, and for how long.
struct Principal {
  UserId user_id;
  Grants grants;
  WallTime expires_at;
};

}  // namespace carillon
