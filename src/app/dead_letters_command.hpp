#pragma once

#include "app/command_line.hpp"

namespace carillon::app {

// The records that were no valid events (protocol 8), by an administrator's token. The result is the exit code;
// replaying is a failure when any record is refused again.
[[nodiscard]] int run(const ListDeadLettersCommand& command);
[[nodiscard]] int run(const ReplayDeadLettersCommand& command);

}  // namespace carillon::app
