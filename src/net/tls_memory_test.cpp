#include "net/tls_memory.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <set>
#include <thread>
#include <vector>

namespace carillon::net {
namespace {

constexpr std::size_t kRecord = 17'000, kNote = 40;

TEST(TlsMemory, GivesWhatWasFreedAgain) {
  for (const std::size_t size : {kRecord, kNote}) {
    void* const first = TlsMemory::allocate(size);
    TlsMemory::release(first);
    void* const second = TlsMemory::allocate(size);
    EXPECT_EQ(second, first);
    TlsMemory::release(second);
  }
  TlsMemory::release(nullptr);
}

TEST(TlsMemory, HasRoomForTheLargestOfItsSizes) {
  for (const std::size_t size : {std::size_t{1}, TlsMemory::kNoteBytes, TlsMemory::kNoteBytes + 1,
                                 std::size_t{16 * 1024}, TlsMemory::kRecordBytes, TlsMemory::kRecordBytes + 1}) {
    for (int i = 0; i < 3; ++i) {
      void* const memory = TlsMemory::allocate(size);
      std::memset(memory, 'x', size);  // the sanitizers look
      TlsMemory::release(memory);
    }
  }
}

TEST(TlsMemory, TakesBackMoreThanItKeeps) {
  std::set<void*> all;
  for (std::size_t i = 0; i < 3 * TlsMemory::kRecordsKept; ++i) all.insert(TlsMemory::allocate(kRecord));
  EXPECT_EQ(all.size(), 3 * TlsMemory::kRecordsKept);
  for (void* const memory : all) TlsMemory::release(memory);
}

TEST(TlsMemory, AnotherThreadMayFreeAndEnd) {
  std::vector<void*> passed;
  for (std::size_t i = 0; i < TlsMemory::kNotesKept; ++i) passed.push_back(TlsMemory::allocate(kNote));
  std::thread([&] {
    for (void* const memory : passed) TlsMemory::release(memory);
    TlsMemory::release(TlsMemory::allocate(kRecord));
  }).join();
}

TEST(TlsMemory, NoTwoThreadsHaveTheSamePiece) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([t] {
      for (int i = 0; i < 5'000; ++i) {
        auto* const memory = static_cast<char*>(TlsMemory::allocate(kRecord));
        std::memset(memory, 'a' + t, 64);
        std::this_thread::yield();
        ASSERT_EQ(std::string_view(memory, 64), std::string(64, static_cast<char>('a' + t)));
        TlsMemory::release(memory);
      }
    });
  for (auto& thread : threads) thread.join();
}

}  // namespace
}  // namespace carillon::net
