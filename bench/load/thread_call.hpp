#pragma once

#include <future>
#include <type_traits>
#include <utility>

#include "runtime/loop.hpp"

namespace carillon::bench {

// Runs `call` on the loop's thread and waits for what it returns. Not from that thread.
template <class Call>
auto call_on(runtime::Loop& loop, Call call) {
  using Answer = std::invoke_result_t<Call>;
  std::promise<Answer> promise;
  auto answer = promise.get_future();
  loop.post([&] {
    if constexpr (std::is_void_v<Answer>) {
      call();
      promise.set_value();
    } else {
      promise.set_value(call());
    }
  });
  return answer.get();
}

}  // namespace carillon::bench
