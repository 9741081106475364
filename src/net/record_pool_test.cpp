#include "net/record_pool.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <set>
#include <thread>
#include <vector>

namespace carillon::net {
namespace {

constexpr std::size_t kRecord = 17'000;

TEST(RecordPool, GivesARecordsBufferAgainAndAgain) {
  void* const first = RecordPool::allocate(kRecord);
  EXPECT_TRUE(RecordPool::holds(first));
  RecordPool::release(first);
  void* const second = RecordPool::allocate(kRecord);
  EXPECT_EQ(second, first);
  RecordPool::release(second);
}

TEST(RecordPool, LeavesOtherSizesToTheAllocator) {
  for (const std::size_t size : {std::size_t{1}, RecordPool::kWorthBytes - 1, RecordPool::kBufferBytes + 1}) {
    void* const memory = RecordPool::allocate(size);
    EXPECT_FALSE(RecordPool::holds(memory));
    RecordPool::release(memory);
  }
  RecordPool::release(nullptr);
}

TEST(RecordPool, GoesOnWithTheAllocatorWhenAllAreTaken) {
  std::set<void*> all;
  for (std::size_t i = 0; i <= RecordPool::kBuffers; ++i) all.insert(RecordPool::allocate(kRecord));
  EXPECT_EQ(all.size(), RecordPool::kBuffers + 1);
  EXPECT_EQ(std::ranges::count_if(all, [](void* m) { return RecordPool::holds(m); }), RecordPool::kBuffers);
  for (void* const memory : all) RecordPool::release(memory);
  void* const again = RecordPool::allocate(kRecord);
  EXPECT_TRUE(RecordPool::holds(again));
  RecordPool::release(again);
}

TEST(RecordPool, KeepsTheContentsOfWhatGrows) {
  auto* memory = static_cast<char*>(RecordPool::allocate(kRecord));
  std::memset(memory, 'x', kRecord);
  memory = static_cast<char*>(RecordPool::reallocate(memory, 2 * kRecord));
  EXPECT_FALSE(RecordPool::holds(memory));
  EXPECT_EQ(std::string_view(memory, kRecord), std::string(kRecord, 'x'));
  RecordPool::release(memory);
  memory = static_cast<char*>(RecordPool::reallocate(nullptr, 10));
  EXPECT_NE(memory, nullptr);
  RecordPool::release(memory);
}

TEST(RecordPool, NoTwoThreadsHaveTheSameBuffer) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([t] {
      for (int i = 0; i < 20'000; ++i) {
        auto* const memory = static_cast<char*>(RecordPool::allocate(kRecord));
        std::memset(memory, 'a' + t, 64);
        std::this_thread::yield();
        ASSERT_EQ(std::string_view(memory, 64), std::string(64, static_cast<char>('a' + t)));
        RecordPool::release(memory);
      }
    });
  for (auto& thread : threads) thread.join();
}

}  // namespace
}  // namespace carillon::net
