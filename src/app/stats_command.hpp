#pragma once

#include "app/command_line.hpp"

namespace carillon::app {

// Prints how a running server does, as its administrator's port says it: its JSON, or a table for people.
// The result is the exit code.
[[nodiscard]] int run(const StatsCommand& command);

}  // namespace carillon::app
