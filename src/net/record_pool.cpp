#include "net/record_pool.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace carillon::net {

namespace {

struct alignas(64) Buffer {
  std::array<std::byte, RecordPool::kBufferBytes> bytes;
};

// Takes no memory until it is used.
std::array<Buffer, RecordPool::kBuffers> buffers;
std::array<std::atomic<bool>, RecordPool::kBuffers> taken;

// Each thread begins to look at a place of its own, so that it gets the buffer that it had last.
std::size_t home() {
  static std::atomic<std::size_t> threads{0};
  constexpr std::size_t kApart = 8;
  thread_local const std::size_t place = threads.fetch_add(kApart, std::memory_order_relaxed) % RecordPool::kBuffers;
  return place;
}

std::size_t index_of(const void* memory) {
  return static_cast<std::size_t>(static_cast<const Buffer*>(memory) - buffers.data());
}

}  // namespace

bool RecordPool::install() {
  return CRYPTO_set_mem_functions(
             [](std::size_t size, const char*, int) { return allocate(size); },
             [](void* memory, std::size_t size, const char*, int) { return reallocate(memory, size); },
             [](void* memory, const char*, int) { release(memory); }) == 1;
}

bool RecordPool::holds(const void* memory) {
  const auto address = reinterpret_cast<std::uintptr_t>(memory);
  const auto begin = reinterpret_cast<std::uintptr_t>(buffers.data());
  return address >= begin && address < begin + sizeof buffers;
}

void* RecordPool::allocate(std::size_t size) {
  if (size < kWorthBytes || size > kBufferBytes) return std::malloc(size);
  const std::size_t first = home();
  for (std::size_t i = 0; i < kBuffers; ++i) {
    const std::size_t at = (first + i) % kBuffers;
    if (!taken[at].load(std::memory_order_relaxed) && !taken[at].exchange(true, std::memory_order_acquire))
      return buffers[at].bytes.data();
  }
  return std::malloc(size);
}

void* RecordPool::reallocate(void* memory, std::size_t size) {
  if (!holds(memory)) return std::realloc(memory, size);
  void* const other = std::malloc(size);
  if (other == nullptr) return nullptr;
  std::memcpy(other, memory, std::min(size, kBufferBytes));
  release(memory);
  return other;
}

void RecordPool::release(void* memory) {
  if (!holds(memory)) return std::free(memory);
  taken[index_of(memory)].store(false, std::memory_order_release);
}

}  // namespace carillon::net
