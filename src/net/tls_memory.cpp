#include "net/tls_memory.hpp"

#include <malloc.h>
#include <openssl/crypto.h>

#include <array>
#include <cstdlib>

namespace carillon::net {

namespace {

thread_local constinit bool has_ended = false;  // the thread, but for what else it frees

// Pieces of one size that wait to be used again.
template <std::size_t bytes, std::size_t most>
class Kept {
 public:
  ~Kept() {
    has_ended = true;
    while (count_ > 0) std::free(pieces_[--count_]);
  }

  void* take() { return count_ > 0 ? pieces_[--count_] : std::malloc(bytes); }
  // False: it is of another size, or there are enough.
  bool keep(void* memory, std::size_t size) {
    if (size < bytes || size >= bytes + alignof(std::max_align_t) || count_ == most) return false;
    pieces_[count_++] = memory;
    return true;
  }

 private:
  std::array<void*, most> pieces_{};
  std::size_t count_ = 0;
};

thread_local Kept<TlsMemory::kNoteBytes, TlsMemory::kNotesKept> notes;
thread_local Kept<TlsMemory::kRecordBytes, TlsMemory::kRecordsKept> records;

// Sizes below are cheap as they are, and those between the two are not asked for again and again.
constexpr std::size_t kNoteBytesMin = 32;
constexpr std::size_t kRecordBytesMin = 16 * 1024;

}  // namespace

bool TlsMemory::install() {
  return CRYPTO_set_mem_functions(
             [](std::size_t size, const char*, int) { return allocate(size); },
             [](void* memory, std::size_t size, const char*, int) { return std::realloc(memory, size); },
             [](void* memory, const char*, int) { release(memory); }) == 1;
}

void* TlsMemory::allocate(std::size_t size) {
  if (has_ended) return std::malloc(size);
  if (size >= kNoteBytesMin && size <= kNoteBytes) return notes.take();
  if (size >= kRecordBytesMin && size <= kRecordBytes) return records.take();
  return std::malloc(size);
}

void TlsMemory::release(void* memory) {
  if (has_ended) return std::free(memory);
  const std::size_t size = ::malloc_usable_size(memory);
  if (!notes.keep(memory, size) && !records.keep(memory, size)) std::free(memory);
}

}  // namespace carillon::net
