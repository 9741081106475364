#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace carillon {

struct HashKey {
  std::uint64_t low = 0;
  std::uint64_t high = 0;

  bool operator==(const HashKey&) const = default;
};

// SipHash-2-4 (Aumasson and Bernstein, 2012): 64 bits that nobody without the key can aim at. Ids are chosen by
// producers, so a hash without a key could be flooded; the same function is a checksum of what is stored.
[[nodiscard]] std::uint64_t siphash(const HashKey& key, std::string_view text);

// The checksum of a stored row: over its numbers and the hashes of its texts.
[[nodiscard]] std::int64_t row_checksum(const HashKey& key, std::initializer_list<std::uint64_t> parts);

}  // namespace carillon
