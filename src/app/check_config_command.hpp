#pragma once

#include "app/command_line.hpp"

namespace carillon::app {

// Checks what serve would check before it listens: configuration, certificate and keys. Faults go to standard error.
// The result is the exit code.
[[nodiscard]] int run(const CheckConfigCommand& command);

}  // namespace carillon::app
