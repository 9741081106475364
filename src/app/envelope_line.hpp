#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace carillon::app {

// One line of what a user publishes.
struct EnvelopeLine {
  std::uint64_t number = 0;  // from 1, in the input
  std::string text;
};

// The envelope of a line, as it is sent: when it has no id it gets one, so that repeating the call makes no second
// event. Refuses what is no JSON object or is too large for any call; all else is for the server to judge.
[[nodiscard]] Result<std::string> prepare_envelope(std::string_view line, std::string_view new_id);

// Random, never the same twice.
[[nodiscard]] std::string make_event_id();

}  // namespace carillon::app
