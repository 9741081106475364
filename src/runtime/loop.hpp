#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "runtime/timer_wheel.hpp"

namespace carillon::runtime {

class ReadyHandler {
 public:
  // `events` as epoll(7) reports them, level-triggered.
  virtual void on_ready(std::uint32_t events) = 0;

 protected:
  ~ReadyHandler() = default;
};

// What destroys itself from inside its own callback is handed to Loop::retire() and dies at the end of the turn.
class Retirable {
 public:
  virtual ~Retirable() = default;
};

// The event loop of one thread. A turn is: wait, handle what is ready, run the tasks other threads posted, fire timers,
// run the turn-end hooks, bury the retired. Everything but post() and stop() belongs to the loop's thread.
//
// Loop time stands still while the process does: a pause (SIGSTOP, a frozen machine) counts as half a second at most,
// so that deadlines which peers could not meet because of us do not all expire at once (cases.md F12).
class Loop {
 public:
  using Task = std::move_only_function<void()>;

  // Sum of what may be posted at once: one completion per connection (descriptors allow 20,000 to 1,000,000 of them),
  // the publication batches under their own credit, and a few control calls. Exceeding it is a broken invariant.
  static constexpr std::size_t kTasksMax = 1'100'000;

  explicit Loop(const Clock& clock);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Runs turns until stop(). Tasks posted before stop() have run when it returns.
  void run();
  void stop();  // any thread
  // One turn that does not wait. Where somebody else moves time.
  void turn_at_once() { turn(0); }

  // Runs `task` in a later turn, in the order of posting. Any thread; does not block on the loop.
  void post(Task task);

  // Watches `fd` for `events`; `handler` must stay alive until unwatch(). An fd is watched once.
  [[nodiscard]] Result<> watch(int fd, std::uint32_t events, ReadyHandler& handler);
  void rewatch(int fd, std::uint32_t events, ReadyHandler& handler);
  // After this `handler` is not called for `fd`, not even for what was reported in the same turn. Before close(fd).
  void unwatch(int fd, ReadyHandler& handler);

  void arm(Timer& timer, milliseconds from_now) { timers_.arm(timer, now_ + from_now); }
  [[nodiscard]] MonoTime now() const { return now_; }  // loop time, as of this turn
  [[nodiscard]] WallTime wall_now() const { return clock_.wall_now(); }
  [[nodiscard]] MonoTime clock_now() const { return clock_.mono_now(); }

  // Calls `hook` at the end of every turn, in the order added.
  void at_turn_end(std::function<void()> hook) { turn_end_hooks_.push_back(std::move(hook)); }
  // There is more to do than belongs into one turn: the next one comes at once, after what is ready by then.
  void hurry() { hurried_ = true; }
  void retire(std::unique_ptr<Retirable> object) { retired_.push_back(std::move(object)); }

 private:
  void turn(int timeout_ms_max);
  void run_tasks();
  void update_time(milliseconds slept_max);
  void wake();

  const Clock& clock_;
  MonoTime last_clock_;
  MonoTime now_;
  TimerWheel timers_;
  int epoll_ = -1;
  int wake_fd_ = -1;
  std::array<epoll_event, 256> events_{};
  int event_next_ = 0, event_count_ = 0;
  bool hurried_ = false;
  std::vector<std::function<void()>> turn_end_hooks_;
  std::vector<std::unique_ptr<Retirable>> retired_;

  std::mutex mutex_;
  std::vector<Task> tasks_;  // guarded by mutex_
  bool awake_ = false;       // guarded by mutex_: wake_fd_ was written and not yet read
  bool stopping_ = false;    // guarded by mutex_
  std::vector<Task> running_;
};

// A thread with a loop. The loop exists before the thread starts, so that things can be built on it.
class LoopThread {
 public:
  LoopThread(const Clock& clock, std::string name) : loop_(clock), name_(std::move(name)) {}
  ~LoopThread() { stop(); }

  [[nodiscard]] Loop& loop() { return loop_; }
  void start();
  void stop();  // returns when the loop has ended

 private:
  Loop loop_;
  std::string name_;
  std::thread thread_;
};

}  // namespace carillon::runtime
