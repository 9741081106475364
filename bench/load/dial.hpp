#pragma once

#include <cstdint>
#include <optional>

#include "base/result.hpp"
#include "net/address.hpp"
#include "net/fd.hpp"

namespace carillon::bench {

// narrow: small segments and a small window, so that what is not read soon waits at the server. Between two processes
// of one machine the kernel would keep megabytes.
enum class Link : std::uint8_t { local, narrow };

// Begins to connect; a socket that can be written to has connected or failed (connect_error). From `source`, an address
// of this machine of the endpoint's family, when one is given.
[[nodiscard]] Result<net::Fd> dial(const net::Endpoint& endpoint, Link link,
                                   const std::optional<net::IpAddress>& source = {});

// What became of that, once the socket can be written to: 0, or an errno.
[[nodiscard]] int connect_error(int socket);

}  // namespace carillon::bench
