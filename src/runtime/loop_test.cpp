#include "runtime/loop.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "runtime/credit.hpp"
#include "runtime/keyed_limit.hpp"

namespace carillon::runtime {
namespace {

struct Pipe {
  Pipe() { EXPECT_EQ(::pipe(ends), 0); }
  ~Pipe() {
    ::close(ends[0]);
    ::close(ends[1]);
  }
  void fill() const { EXPECT_EQ(::write(ends[1], "x", 1), 1); }
  int ends[2] = {-1, -1};
};

struct OnReady final : ReadyHandler {
  explicit OnReady(std::function<void()> f) : then(std::move(f)) {}
  void on_ready(std::uint32_t) override { then(); }
  std::function<void()> then;
};

TEST(Loop, RunsTasksOfOtherThreadsInOrderAndAllBeforeItEnds) {
  const SystemClock clock;
  LoopThread thread(clock, "test");
  std::vector<int> seen;
  thread.start();
  for (int i = 0; i < 1000; ++i) thread.loop().post([&seen, i] { seen.push_back(i); });
  thread.stop();
  ASSERT_EQ(seen.size(), 1000U);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(seen[static_cast<std::size_t>(i)], i);
}

TEST(Loop, AHandlerUnwatchedInTheSameTurnIsNotCalled) {
  const SystemClock clock;
  Loop loop(clock);
  const Pipe a, b;
  int calls = 0;
  OnReady* first = nullptr;
  OnReady* second = nullptr;
  OnReady x([&] {
    ++calls;
    loop.unwatch(a.ends[0], *first);
    loop.unwatch(b.ends[0], *second);
    loop.stop();
  });
  OnReady y(x.then);
  first = &x;
  second = &y;
  a.fill();
  b.fill();
  ASSERT_TRUE(loop.watch(a.ends[0], EPOLLIN, x));
  ASSERT_TRUE(loop.watch(b.ends[0], EPOLLIN, y));
  loop.run();
  EXPECT_EQ(calls, 1);
}

TEST(Loop, RetiredObjectsDieAfterTheTurnEndHooks) {
  const SystemClock clock;
  Loop loop(clock);
  std::string order;
  struct Mourned : Retirable {
    explicit Mourned(std::string& o) : order(o) {}
    ~Mourned() override { order += "buried "; }
    std::string& order;
  };
  loop.at_turn_end([&] { order += "hook "; });
  loop.post([&] {
    loop.retire(std::make_unique<Mourned>(order));
    order += "task ";
    loop.stop();
  });
  loop.run();
  EXPECT_EQ(order, "task hook buried ");
}

TEST(Loop, APauseOfTheProcessCountsAsHalfASecondAtMost) {
  ManualClock clock;
  Loop loop(clock);
  const MonoTime before = loop.now();
  loop.post([&] { loop.stop(); });
  clock.advance(std::chrono::seconds{30});
  loop.run();
  EXPECT_LE(loop.now() - before, milliseconds{500});
}

TEST(Credit, TakeWaitsUntilEnoughIsGivenBack) {
  Credit credit(10);
  EXPECT_TRUE(credit.take(8));
  EXPECT_FALSE(credit.try_take(3));
  std::thread giver([&] { credit.give_back(8); });
  EXPECT_TRUE(credit.take(100));  // more than there ever is: takes all
  giver.join();
  EXPECT_FALSE(credit.try_take(1));
  credit.close();
  EXPECT_FALSE(credit.take(1));
}

TEST(KeyedLimit, CountsEachKeyByItself) {
  KeyedLimit limit(2);
  EXPECT_TRUE(limit.take("a"));
  EXPECT_TRUE(limit.take("a"));
  EXPECT_FALSE(limit.take("a"));
  EXPECT_TRUE(limit.take("b"));
  limit.give_back("a");
  EXPECT_TRUE(limit.take("a"));
  EXPECT_FALSE(limit.take("a"));
}

}  // namespace
}  // namespace carillon::runtime
