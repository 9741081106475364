#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace carillon {

// Where an event stands in the log, as the wire carries it (protocol 4.1): opaque, compared for equality only,
// at most 512 characters of [A-Za-z0-9._~-]. Only the log that made it knows how to read it. Empty: none yet.
struct Position {
  std::string text;

  [[nodiscard]] bool empty() const { return text.empty(); }
  bool operator==(const Position&) const = default;
};

inline constexpr std::size_t kPositionSizeMax = 512;

// Where a position stands among all positions of one log: larger is later. Only the log gives them out.
using Ordinal = std::uint64_t;

// Why not everything after a client's position can follow (protocol 6.1).
enum class GapReason : std::uint8_t {
  trimmed,  // it is no longer kept
  epoch,    // the log is another one
  unknown,  // not a position, or one that was never given out
};
[[nodiscard]] std::string_view to_string(GapReason reason);

// Whether a peer's text has the form of a position at all.
[[nodiscard]] bool is_position(std::string_view text);

}  // namespace carillon
