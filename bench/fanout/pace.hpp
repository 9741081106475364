#pragma once

#include <cstdint>
#include <functional>

#include "base/result.hpp"
#include "load/delivery_audit.hpp"
#include "load/histogram.hpp"

namespace carillon::bench {

// Open loop: calls `publish(first, end)` for the calls of a schedule from 0 up to and without `count`, when they are
// due; those that are overdue by then go together. `behind` gets how late each one was. Stops at the first that fails.
[[nodiscard]] Result<> publish_on_schedule(
    const Schedule& schedule, std::uint64_t count,
    const std::function<Result<>(std::uint64_t first, std::uint64_t end)>& publish, Histogram& behind);

}  // namespace carillon::bench
