#pragma once

#include <chrono>

namespace carillon {

using std::chrono::milliseconds;

// Civil time, UTC, to the millisecond: for timestamps and token times. May jump.
using WallTime = std::chrono::sys_time<milliseconds>;
// Never jumps back: for deadlines and durations.
using MonoTime = std::chrono::steady_clock::time_point;

// The only source of time for code that decides by it, so that tests move time by hand. Any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual WallTime wall_now() const = 0;
  [[nodiscard]] virtual MonoTime mono_now() const = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] WallTime wall_now() const override {
    return std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now());
  }
  [[nodiscard]] MonoTime mono_now() const override { return std::chrono::steady_clock::now(); }
};

// Time that only moves when told to. One thread.
class ManualClock final : public Clock {
 public:
  [[nodiscard]] WallTime wall_now() const override { return wall_; }
  [[nodiscard]] MonoTime mono_now() const override { return mono_; }
  void advance(std::chrono::nanoseconds by) {
    mono_ += std::chrono::duration_cast<MonoTime::duration>(by);
    wall_ += std::chrono::duration_cast<milliseconds>(by);
  }
  void set_wall(WallTime wall) { wall_ = wall; }

 private:
  // 2026-11-22T12:00:00Z, the moment of the examples in the protocol.
  WallTime wall_{std::chrono::seconds{1795348800}};
  MonoTime mono_{std::chrono::hours{1}};
};

}  // namespace carillon
