#pragma once

#include "app/command_line.hpp"

namespace carillon::app {

// Publishes the lines of the input. Progress, refused lines and errors go to standard error, a summary to standard
// output. The result is the exit code.
[[nodiscard]] int run(const PublishCommand& command);

}  // namespace carillon::app
