#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "fanout/mark.hpp"

namespace carillon::bench {

// Size of every message as it is pushed, whatever the peer makes of it on the way.
inline constexpr std::size_t kMessageBytes = 350;

// An object of `bytes` bytes: the members `head`, then the payload of an alert to all with the event's mark at its end.
// The alert's text is as long as that takes, and not empty.
[[nodiscard]] std::string make_alert(const Mark& mark, std::uint64_t number, std::string_view head, std::size_t bytes);

// A message as Carillon pushes it, of kMessageBytes: for peers that pass on what they are given.
[[nodiscard]] std::string make_message(const Mark& mark, std::uint64_t number);

}  // namespace carillon::bench
