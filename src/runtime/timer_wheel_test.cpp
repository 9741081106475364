#include "runtime/timer_wheel.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <random>
#include <vector>

namespace carillon::runtime {
namespace {

using std::chrono::seconds;

struct Alarm final : TimerHandler {
  explicit Alarm(std::function<void()> f = {}) : timer(*this), then(std::move(f)) {}
  void on_timer() override {
    ++fired;
    if (then) then();
  }
  Timer timer;
  std::function<void()> then;
  int fired = 0;
};

const MonoTime kStart{std::chrono::hours{1}};

TEST(TimerWheel, FiresOnceNeverEarlyAndAtMostOneTickLate) {
  TimerWheel wheel(kStart);
  Alarm alarm;
  wheel.arm(alarm.timer, kStart + milliseconds{25});
  wheel.advance(kStart + milliseconds{24});
  EXPECT_EQ(alarm.fired, 0);
  wheel.advance(kStart + milliseconds{25} + TimerWheel::kTick);
  EXPECT_EQ(alarm.fired, 1);
  wheel.advance(kStart + seconds{100});
  EXPECT_EQ(alarm.fired, 1);
  EXPECT_FALSE(alarm.timer.is_armed());
}

TEST(TimerWheel, KeepsTimersOfLaterRoundsAcrossTheWheel) {
  TimerWheel wheel(kStart);
  Alarm near, far;
  wheel.arm(near.timer, kStart + seconds{1});
  wheel.arm(far.timer, kStart + seconds{1} + TimerWheel::kTick * 1024 * 3);
  wheel.advance(kStart + seconds{2});
  EXPECT_EQ(near.fired, 1);
  EXPECT_EQ(far.fired, 0);
  wheel.advance(kStart + seconds{40});
  EXPECT_EQ(far.fired, 1);
}

TEST(TimerWheel, AHandlerMayDisarmDestroyAndRearm) {
  TimerWheel wheel(kStart);
  auto victim = std::make_unique<Alarm>();
  Alarm cancelled;
  Alarm killer([&] {
    victim.reset();
    cancelled.timer.disarm();
  });
  // Slots are filled at the front, so the killer goes in last to fire first.
  wheel.arm(victim->timer, kStart + milliseconds{10});
  wheel.arm(cancelled.timer, kStart + milliseconds{10});
  wheel.arm(killer.timer, kStart + milliseconds{10});
  Alarm again;
  again.then = [&] {
    if (again.fired < 3) wheel.arm(again.timer, kStart);
  };
  wheel.arm(again.timer, kStart + milliseconds{10});
  for (int i = 1; i <= 6; ++i) wheel.advance(kStart + TimerWheel::kTick * (10 * i));
  EXPECT_EQ(killer.fired + (victim ? victim->fired : 0), 1);
  EXPECT_LE(cancelled.fired, 1);
  EXPECT_EQ(again.fired, 3);
}

TEST(TimerWheel, TimeToNextNeverOversleeps) {
  TimerWheel wheel(kStart);
  EXPECT_FALSE(wheel.time_to_next(kStart).has_value());
  std::mt19937 random(7);
  std::vector<std::unique_ptr<Alarm>> alarms;
  for (int i = 0; i < 500; ++i) {
    alarms.push_back(std::make_unique<Alarm>());
    wheel.arm(alarms.back()->timer, kStart + milliseconds{static_cast<int>(random() % 60000)});
  }
  MonoTime now = kStart;
  int wakes = 0;
  while (const auto wait = wheel.time_to_next(now)) {
    now += std::max(*wait, milliseconds{1});
    wheel.advance(now);
    ASSERT_LT(++wakes, 100000);
  }
  for (const auto& alarm : alarms) EXPECT_EQ(alarm->fired, 1);
  EXPECT_LE(now, kStart + milliseconds{60000} + TimerWheel::kTick * 2);
}

TEST(TimerWheel, AMillionArmedAndDisarmedLeaveNothing) {
  TimerWheel wheel(kStart);
  auto alarms = std::make_unique<std::vector<std::unique_ptr<Alarm>>>();
  for (int i = 0; i < 1000; ++i) alarms->push_back(std::make_unique<Alarm>());
  for (int round = 0; round < 1000; ++round)
    for (auto& alarm : *alarms) wheel.arm(alarm->timer, kStart + milliseconds{round * 7});
  alarms.reset();
  EXPECT_FALSE(wheel.time_to_next(kStart).has_value());
}

}  // namespace
}  // namespace carillon::runtime
