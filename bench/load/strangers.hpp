#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "load/target.hpp"
#include "net/fd.hpp"
#include "runtime/loop.hpp"
#include "runtime/timer_wheel.hpp"

namespace carillon::bench {

// Connections that become nobody's: half-open ones, which say half a ClientHello, every second one nothing at all, and
// wait until they are dropped; and hasty ones, which go when a whole one is answered: all the server's work for next to
// none of theirs. All of them come back. On a thread of its own; its calls are for one other thread.
class Strangers {
 public:
  // `target` outlives them.
  Strangers(const Target& target, std::uint32_t half_open, std::uint32_t hasty);
  ~Strangers();
  Strangers(const Strangers&) = delete;
  Strangers& operator=(const Strangers&) = delete;

  struct Done {
    std::uint64_t half_open = 0;  // connections
    std::uint64_t dropped = 0;    // of these, by the server
    std::uint64_t answered = 0;   // of the hasty
  };
  // Ends it.
  [[nodiscard]] Done stop();

 private:
  struct Stranger final : runtime::ReadyHandler, runtime::TimerHandler {
    Stranger(Strangers& its_all, std::string_view its_words, bool its_haste)
        : all(its_all), words(its_words), is_hasty(its_haste) {}
    void on_ready(std::uint32_t) override { all.look_at(*this); }
    void on_timer() override { all.open(*this); }

    Strangers& all;
    const std::string_view words;
    const bool is_hasty;
    net::Fd socket;
    runtime::Timer retry{*this};
    bool is_connected = false;
  };

  void open(Stranger& stranger);
  void close(Stranger& stranger);
  void open_later(Stranger& stranger);
  void look_at(Stranger& stranger);

  const Target& target_;
  const std::string hello_;
  SystemClock clock_;
  runtime::LoopThread thread_;

  // Of the thread.
  std::mt19937 random_;
  Done done_;
  std::vector<std::unique_ptr<Stranger>> all_;
};

}  // namespace carillon::bench
