#pragma once

#include "load/crowd.hpp"
#include "load/delivery_run.hpp"
#include "load/target.hpp"

namespace carillon::bench {

struct HandshakeStorm {
  Span span;
  double connects = 0;
  Histogram handshakes;
  Faults faults;

  [[nodiscard]] double connects_per_second() const;
};

// New clients, a thousand and a thousand again, connect as fast as the server takes them, are let in and leave, until
// that moment. Their users are from that one on; they are sent nothing.
[[nodiscard]] HandshakeStorm storm_until(const Target& target, std::uint32_t first_user, MonoTime end);

}  // namespace carillon::bench
