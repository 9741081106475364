#include "load/preload.hpp"

#include <algorithm>
#include <string>

#include "base/ensure.hpp"
#include "load/publisher.hpp"

namespace carillon::bench {

namespace {

constexpr std::uint32_t kEventsPerCall = 500;
constexpr std::chrono::milliseconds kBeforeFirst{200};

}  // namespace

Faults preload(const Target& target, const EventBook& book) {
  ensure(book.size() % kEventsPerCall == 0, "a book to be preloaded is whole batches");
  std::string batch;
  PublishPlan plan;
  plan.calls_max = book.size() / kEventsPerCall;
  plan.schedule.start = std::chrono::steady_clock::now() + kBeforeFirst;
  plan.schedule.events_per_call = kEventsPerCall;
  plan.body = [&](std::uint64_t call) {
    return std::string_view(batch = book.batch(call * kEventsPerCall, kEventsPerCall));
  };
  Published published = publish(target, plan);
  if (published.accepted != plan.calls_max)
    published.faults.add("not all that was to be there beforehand was accepted");
  return published.faults;
}

}  // namespace carillon::bench
