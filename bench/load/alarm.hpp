#pragma once

#include <functional>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "net/fd.hpp"
#include "runtime/loop.hpp"

namespace carillon::bench {

// Wakes a loop at a moment, to the precision of the kernel: the loop's own timers tick every 10 ms, too coarse for a
// schedule of hundreds of calls per second. Confined to the loop's thread.
class Alarm final : runtime::ReadyHandler {
 public:
  Alarm(runtime::Loop& loop, std::function<void()> ring) : loop_(loop), ring_(std::move(ring)) {}
  ~Alarm();
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;

  [[nodiscard]] Result<> start();
  // Replaces an earlier moment. One that has passed rings at once.
  void set(MonoTime moment);

 private:
  void on_ready(std::uint32_t events) override;

  runtime::Loop& loop_;
  std::function<void()> ring_;
  net::Fd timer_;
};

}  // namespace carillon::bench
