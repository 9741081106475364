#pragma once

#include "base/result.hpp"
#include "net/address.hpp"
#include "net/fd.hpp"

namespace carillon::net {

// Binds and listens, non-blocking. `share`: SO_REUSEPORT, so that each shard has a listener of its own on one port.
[[nodiscard]] Result<Fd> listen_on(const Endpoint& endpoint, bool share);

// Fails with `unavailable` when somebody listens there already. With SO_REUSEPORT the kernel would not say.
[[nodiscard]] Result<> ensure_port_is_free(const Endpoint& endpoint);

// The endpoint a socket is bound to; tells the port where 0 was asked for.
[[nodiscard]] Endpoint bound_endpoint(const Fd& socket);

}  // namespace carillon::net
