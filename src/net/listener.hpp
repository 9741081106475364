#pragma once

#include <string>

#include "base/result.hpp"
#include "net/address.hpp"
#include "net/fd.hpp"

namespace carillon::net {

struct ListenOptions {
  bool share = false;                   // SO_REUSEPORT, so that each shard has a listener of its own on one port
  std::string congestion_control = {};  // of the kernel's, by name; empty: as the system has it
};

// Binds and listens, non-blocking. What is set here for TCP the accepted connections inherit: nothing of ours waits to
// be sent together with more (TCP_NODELAY), and the kernel keeps little that is not on its way yet (TCP_NOTSENT_LOWAT).
[[nodiscard]] Result<Fd> listen_on(const Endpoint& endpoint, const ListenOptions& options);

// Fails with `invalid` and what there is, when the kernel has no congestion control of that name for this process.
[[nodiscard]] Result<> check_congestion_control(const std::string& name);

// Fails with `unavailable` when somebody listens there already. With SO_REUSEPORT the kernel would not say.
[[nodiscard]] Result<> ensure_port_is_free(const Endpoint& endpoint);

// The endpoint a socket is bound to; tells the port where 0 was asked for.
[[nodiscard]] Endpoint bound_endpoint(const Fd& socket);

}  // namespace carillon::net
