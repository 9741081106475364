#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "load/target.hpp"
#include "net/fd.hpp"
#include "runtime/loop.hpp"
#include "runtime/timer_wheel.hpp"

namespace carillon::bench {

// TCP connections that say nothing, but for every second one half a ClientHello, and come back when the server drops
// them. On a thread of its own; its calls are for one other thread.
class HalfOpen {
 public:
  // `target` outlives it.
  HalfOpen(const Target& target, std::uint32_t connections);
  ~HalfOpen();
  HalfOpen(const HalfOpen&) = delete;
  HalfOpen& operator=(const HalfOpen&) = delete;

  struct Done {
    std::uint64_t connected = 0;
    std::uint64_t dropped = 0;  // by the server
  };
  // Ends it.
  [[nodiscard]] Done stop();

 private:
  struct Silent final : runtime::ReadyHandler, runtime::TimerHandler {
    explicit Silent(HalfOpen& its_all) : all(its_all) {}
    void on_ready(std::uint32_t) override { all.look_at(*this); }
    void on_timer() override { all.open(*this); }

    HalfOpen& all;
    std::string_view word;  // what it says
    net::Fd socket;
    runtime::Timer retry{*this};
    bool is_connected = false;
  };

  void open(Silent& silent);
  void close(Silent& silent);
  void open_again(Silent& silent);
  void look_at(Silent& silent);

  const Target& target_;
  const std::string half_hello_;
  SystemClock clock_;
  runtime::LoopThread thread_;

  // Of the thread.
  std::mt19937 random_;
  Done done_;
  std::vector<std::unique_ptr<Silent>> all_;
};

}  // namespace carillon::bench
