#pragma once

#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace carillon {

// For a thread that does little at a time and that others wait for, such as those an event goes through on its way to
// the shards: while a shard of the same core is busy for long, the scheduler shall not let the thread wait until the
// shard's slice (some milliseconds) is over. Asks for slices of a tenth of a millisecond, which Linux takes as a reason
// to run it at once since 6.12; before, and where it is refused, nothing changes. The calling thread's.
inline void ask_for_short_slices() {
  struct {  // struct sched_attr of sched_setattr(2), which libc does not have
    std::uint32_t size, policy;
    std::uint64_t flags;
    std::int32_t nice;
    std::uint32_t priority;
    std::uint64_t runtime, deadline, period;
  } attributes{};
  attributes.size = sizeof attributes;
  if (::syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) != 0) return;
  attributes.runtime = 100'000;  // ns
  [[maybe_unused]] const long done = ::syscall(SYS_sched_setattr, 0, &attributes, 0);
}

}  // namespace carillon
