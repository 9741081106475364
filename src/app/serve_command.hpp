#pragma once

#include "app/command_line.hpp"

namespace carillon::app {

// Runs the server until it is told to stop. Errors at start go to standard error. The result is the exit code.
[[nodiscard]] int run(const ServeCommand& command);

}  // namespace carillon::app
