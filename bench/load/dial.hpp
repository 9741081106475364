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

// Begins to connect; a socket that can be written to has connected or failed. From `source`, an address of this machine
// of the endpoint's family, when one is given.
[[nodiscard]] Result<net::Fd> dial(const net::Endpoint& endpoint, Link link,
                                   const std::optional<net::IpAddress>& source = {});

}  // namespace carillon::bench
