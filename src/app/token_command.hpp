#pragma once

#include "app/command_line.hpp"

namespace carillon::app {

// Prints a token on standard output.
// The result is the exit code.
[[nodiscard]] int run(const TokenCommand& command);

}  // namespace carillon::app
