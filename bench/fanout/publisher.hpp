#pragma once

#include <cstddef>
#include <cstdint>

#include "base/result.hpp"

namespace carillon::bench {

// Publishes the events of a run at a peer, in order. One thread; waits, but never for ever.
class Publisher {
 public:
  virtual ~Publisher() = default;
  // So many events from that number on, in one call or one write.
  [[nodiscard]] virtual Result<> publish(std::uint64_t first, std::uint64_t count) = 0;
  // The event of that number came out with so many bytes: what the peer adds is known from then on.
  virtual void learn_size(std::uint64_t /*number*/, std::size_t /*bytes*/) {}
};

}  // namespace carillon::bench
