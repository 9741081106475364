#include "fanout/pace.hpp"

#include <thread>

namespace carillon::bench {

Result<> publish_on_schedule(const Schedule& schedule, std::uint64_t count,
                             const std::function<Result<>(std::uint64_t first, std::uint64_t end)>& publish,
                             Histogram& behind) {
  for (std::uint64_t first = 0; first < count;) {
    std::this_thread::sleep_until(schedule.due(first));
    const MonoTime moment = std::chrono::steady_clock::now();
    std::uint64_t end = first;
    for (; end < count && schedule.due(end) <= moment; ++end) behind.record(moment - schedule.due(end));
    if (auto published = publish(first, end); !published) return published;
    first = end;
  }
  return {};
}

}  // namespace carillon::bench
