#pragma once

#include <string>
#include <string_view>

#include "app/http_reply.hpp"
#include "app/interrupt.hpp"
#include "base/result.hpp"
#include "net/address.hpp"

namespace carillon::app {

// Asks a running server's administrator's port, which speaks HTTP in the clear, for `target`. The answer, whatever its
// status. Waits, but not for ever, and gives up when the user interrupts. The error says where and why: `unavailable`
// nobody answers there, `invalid` who answers does not speak HTTP.
[[nodiscard]] Result<HttpReply> ask_admin_port(const net::Endpoint& admin, std::string_view target,
                                               const Interrupt& interrupt);

}  // namespace carillon::app
