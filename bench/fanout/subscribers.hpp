#pragma once

#include <cstdint>
#include <deque>
#include <future>
#include <optional>
#include <vector>

#include "fanout/judge.hpp"
#include "fanout/subscriber.hpp"
#include "load/faults.hpp"
#include "load/target.hpp"
#include "runtime/loop.hpp"

namespace carillon::bench {

// All subscribers of a run, on one thread of their own. Its calls are for one other thread.
class Subscribers final : Subscriber::Owner {
 public:
  // All outlive it. The clients come from `sources` addresses in turn, 127.0.0.1 and those after it: from one address
  // to one port there are only as many connections as the system has ports.
  Subscribers(const Target& target, const Dialect& dialect, Judge& judge, std::uint32_t sources);
  ~Subscribers() { thread_.stop(); }
  Subscribers(const Subscribers&) = delete;
  Subscribers& operator=(const Subscribers&) = delete;

  // Connects so many clients, `at_once` at a time, and returns when all are subscribed or after `patience`. Once. What
  // comes from then on goes to the judge. Returns how many are subscribed.
  [[nodiscard]] std::uint32_t connect(std::uint32_t count, std::uint32_t at_once, milliseconds patience);
  // Its thread goes before others, where the system lets it.
  void hurry();
  // Ends the thread: nothing more is received. What the judge did not see.
  [[nodiscard]] Faults conclude();

 private:
  void on_live(std::uint32_t client) override;
  void on_message(std::uint32_t client, std::string_view text) override {
    judge_.on_message(client, text, std::chrono::steady_clock::now());
  }
  void on_fault(std::uint32_t client, std::string_view what) override;
  void on_end(std::uint32_t client, std::string_view why) override;

  void connect_more();
  void add_client();
  void end_try(std::uint32_t client);

  const Target& target_;
  const Dialect& dialect_;
  Judge& judge_;
  const std::uint32_t sources_;
  SystemClock clock_;
  runtime::LoopThread thread_;

  // Of the thread.
  ReceiverRoom room_;
  std::deque<Subscriber> clients_;
  std::vector<bool> is_trying_;  // by client
  std::uint32_t count_ = 0;
  std::uint32_t at_once_ = 0;
  std::uint32_t trying_ = 0;
  std::uint32_t live_ = 0;
  std::optional<std::promise<void>> all_tried_;
  Faults faults_;
};

}  // namespace carillon::bench
