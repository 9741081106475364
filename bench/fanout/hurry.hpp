#pragma once

#include <sys/resource.h>
#include <unistd.h>

namespace carillon::bench {

// Lets the calling thread go before others, where the system allows it: what it measures is then not how long it waited
// for the crowd's thread.
inline void hurry_this_thread() {
  constexpr int kNice = -10;
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kNice);
}

}  // namespace carillon::bench
