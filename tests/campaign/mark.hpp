#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace carillon::campaign {

// What tells the campaign's events apart. There is a stream for each user, one for the signals to all and one for the
// alerts to all. Each is numbered from 1 and published in that order by one publisher, so that who follows it needs to
// remember no more than a number.
struct Mark {
  std::uint32_t stream = 0;
  std::uint64_t number = 0;  // 0: an event that must reach nobody

  bool operator==(const Mark&) const = default;
};

// Closes a payload, which lacks its last brace, with the mark and a checksum of both.
void append_mark(std::string& payload, const Mark& mark);

// The mark of a notification; nothing when it has none, or when the payload is not the one that was marked.
[[nodiscard]] std::optional<Mark> mark_in(std::string_view notification);

}  // namespace carillon::campaign
