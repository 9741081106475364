#pragma once

#include <string>

#include "app/interrupt.hpp"
#include "base/result.hpp"
#include "net/fd.hpp"

namespace carillon::app {

// Connects a client command to `host`, a name or an address, by TCP; waits, but not for ever, and gives up when the
// user interrupts. The socket does not block. The error (`unavailable`) says why without saying where.
[[nodiscard]] Result<net::Fd> connect_socket(const std::string& host, const std::string& port,
                                             const Interrupt& interrupt);

}  // namespace carillon::app
