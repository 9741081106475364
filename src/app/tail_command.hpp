#pragma once

#include "app/command_line.hpp"

namespace carillon::app {

// Prints notifications until the user interrupts (exit code 0) or the server refuses for good (1).
// The result is the exit code.
[[nodiscard]] int run(const TailCommand& command);

}  // namespace carillon::app
