#pragma once

#include <functional>

#include "net/fd.hpp"
#include "runtime/loop.hpp"

namespace carillon::app {

// Blocks the signals that Signals reads, for this thread and those it will start. Call before any thread starts.
void block_signals();

// Turns SIGTERM, SIGINT and SIGHUP into calls on a loop's thread.
class Signals final : public runtime::ReadyHandler {
 public:
  Signals(runtime::Loop& loop, std::function<void(int signal)> on_signal);
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

 private:
  void on_ready(std::uint32_t events) override;

  runtime::Loop& loop_;
  std::function<void(int)> on_signal_;
  net::Fd fd_;
};

}  // namespace carillon::app
