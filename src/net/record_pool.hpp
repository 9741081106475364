#pragma once

#include <cstddef>

namespace carillon::net {

// Where OpenSSL's buffers for one TLS record come from. To keep none of them per connection (SSL_MODE_RELEASE_BUFFERS)
// it asks for one at every write and every read and gives it back at once: too large for the allocator to do cheaply,
// and most of what a delivery would allocate. Here they come from a fixed set that stays warm in the cache. Whatever
// does not fit, or comes when all are taken, is malloc()'s. Any thread.
class RecordPool {
 public:
  // Makes the process's OpenSSL allocate here. Before anything else of OpenSSL; false: it was too late for that.
  [[nodiscard]] static bool install();

  // As malloc(), realloc() and free(), which also take each other's.
  static void* allocate(std::size_t size);
  static void* reallocate(void* memory, std::size_t size);
  static void release(void* memory);
  [[nodiscard]] static bool holds(const void* memory);

  static constexpr std::size_t kBuffers = 64;
  static constexpr std::size_t kBufferBytes = 18 * 1024;  // a record of 16 KiB and what comes around it
  static constexpr std::size_t kWorthBytes = 16 * 1024;   // smaller ones are cheap as they are
};

}  // namespace carillon::net
