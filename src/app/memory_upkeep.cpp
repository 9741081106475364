#include "app/memory_upkeep.hpp"

#include <malloc.h>

namespace carillon::app {

namespace {

constexpr milliseconds kLook{3000};
// Fewer are not worth the walk through the heap, which the shards' own allocations wait for.
constexpr std::uint64_t kGoneMin = 250;

}  // namespace

MemoryUpkeep::MemoryUpkeep(runtime::Loop& loop, const runtime::Credit& connections)
    : connections_(connections), poll_(loop, kLook, [this] {
        look();
        return false;
      }) {}

void MemoryUpkeep::look() {
  const std::uint64_t gone = connections_.given_back();
  if (gone - gone_ < kGoneMin) return;
  gone_ = gone;
  ::malloc_trim(0);
}

}  // namespace carillon::app
