#pragma once

#include <cstddef>

namespace carillon::net {

// What OpenSSL allocates and frees again for every record: with SSL_MODE_RELEASE_BUFFERS a buffer of 17 KB, which the
// allocator does not do cheaply, and three notes of 40 bytes. Each thread keeps a few of both sizes at hand, so that a
// delivery allocates nothing and its buffer is warm in the cache. Everything else is malloc()'s, as all of it is in the
// end: any thread may free it.
class TlsMemory {
 public:
  // Makes the process's OpenSSL allocate here. Before anything else of OpenSSL; false: it was too late for that.
  [[nodiscard]] static bool install();

  static void* allocate(std::size_t size);
  static void release(void* memory);

  static constexpr std::size_t kNoteBytes = 56, kNotesKept = 64;
  static constexpr std::size_t kRecordBytes = 18 * 1024, kRecordsKept = 8;  // 16 KiB and what comes around it
};

}  // namespace carillon::net
