#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/clock.hpp"

namespace carillon::runtime {

class TimerHandler {
 public:
  virtual void on_timer() = 0;

 protected:
  ~TimerHandler() = default;
};

// A deadline that lives inside its owner. Disarms itself when destroyed. Shard-confined.
class Timer {
 public:
  explicit Timer(TimerHandler& handler) : handler_(handler) {}
  ~Timer() { disarm(); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  [[nodiscard]] bool is_armed() const { return previous_ != nullptr; }
  void disarm();

 private:
  friend class TimerWheel;
  TimerHandler& handler_;
  Timer** previous_ = nullptr;  // the pointer that points here
  Timer* next_ = nullptr;
  std::uint64_t tick_ = 0;
};

// Timers hashed by their tick: arming, disarming and firing cost the same for one and for a million.
// Never fires early; fires at most one tick late when advanced in time. Shard-confined.
class TimerWheel {
 public:
  static constexpr milliseconds kTick{10};

  explicit TimerWheel(MonoTime start) : start_(start) {}
  ~TimerWheel();
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  // (Re)arms `timer` for `when`; a time that has passed fires at the next advance. `timer` must not outlive the wheel
  // while armed.
  void arm(Timer& timer, MonoTime when);

  // Fires what is due. Handlers may arm, disarm and destroy any timer, their own included.
  void advance(MonoTime now);

  // How long until advance() may have something to do; nothing when no timer is armed. Never too long, often too
  // short: a slot may hold timers of later rounds.
  [[nodiscard]] std::optional<milliseconds> time_to_next(MonoTime now) const;

 private:
  static constexpr std::size_t kSlots = 1024;

  [[nodiscard]] std::uint64_t tick_of(MonoTime time) const;
  void fire_slot(std::uint64_t tick);

  MonoTime start_;
  std::uint64_t done_ = 0;  // every tick up to and including this one has fired
  std::array<Timer*, kSlots> slots_{};
};

}  // namespace carillon::runtime
