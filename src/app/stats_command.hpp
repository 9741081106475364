#pragma once

#include "app/command_line.hpp"

namespace carillon::app {

// Prints how long a running server's deliveries take and what it withheld and refused, from its administrator's port.
// The result is the exit code.
[[nodiscard]] int run(const StatsCommand& command);

}  // namespace carillon::app
