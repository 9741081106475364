#pragma once

#include <functional>
#include <utility>

#include "base/clock.hpp"
#include "runtime/loop.hpp"
#include "runtime/timer_wheel.hpp"

namespace carillon::app {

// Looks now and then until there is nothing more to look for. Belongs to the loop's thread.
class Poll final : public runtime::TimerHandler {
 public:
  // `look` says whether it has seen what it was looking for; it may destroy nothing of ours.
  Poll(runtime::Loop& loop, milliseconds interval, std::function<bool()> look)
      : loop_(loop), interval_(interval), look_(std::move(look)), timer_(*this) {
    loop_.arm(timer_, milliseconds{0});
  }

 private:
  void on_timer() override {
    if (!look_()) loop_.arm(timer_, interval_);
  }

  runtime::Loop& loop_;
  milliseconds interval_;
  std::function<bool()> look_;
  runtime::Timer timer_;
};

}  // namespace carillon::app
