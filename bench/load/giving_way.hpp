#pragma once

#include <sched.h>

#include <future>

#include "base/ensure.hpp"

namespace carillon::bench {

// Runs `call` on a thread that, like the threads it starts, runs only while no other thread wants its core
// (SCHED_IDLE), and returns what it returns. For clients that are there to trouble the server, and share a core with
// those that measure: what these see is then the server's trouble, not the generator's.
template <class Call>
auto giving_way(Call call) {
  return std::async(std::launch::async,
                    [&] {
                      const sched_param none{};
                      ensure(::sched_setscheduler(0, SCHED_IDLE, &none) == 0, "a thread may give way");
                      return call();
                    })
      .get();
}

}  // namespace carillon::bench
