#pragma once

#include "load/event_book.hpp"
#include "load/faults.hpp"
#include "load/target.hpp"

namespace carillon::bench {

// Publishes a whole book in its order, as fast as one connection takes it in batches.
[[nodiscard]] Faults preload(const Target& target, const EventBook& book);

}  // namespace carillon::bench
