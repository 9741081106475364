#include "base/siphash.hpp"

#include <bit>
#include <cstddef>
#include <cstring>

namespace carillon {
namespace {

struct State {
  std::uint64_t v0, v1, v2, v3;

  void round() {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }
  void take(std::uint64_t word) {
    v3 ^= word;
    round();
    round();
    v0 ^= word;
  }
};

// The next `size` bytes, at most eight, as a little-endian number.
std::uint64_t load(const char* from, std::size_t size) {
  static_assert(std::endian::native == std::endian::little);
  std::uint64_t word = 0;
  std::memcpy(&word, from, size);
  return word;
}

}  // namespace

std::uint64_t siphash(const HashKey& key, std::string_view text) {
  State state{key.low ^ 0x736f6d6570736575, key.high ^ 0x646f72616e646f6d, key.low ^ 0x6c7967656e657261,
              key.high ^ 0x7465646279746573};
  const std::size_t whole = text.size() & ~std::size_t{7};
  for (std::size_t i = 0; i < whole; i += 8) state.take(load(text.data() + i, 8));
  const std::uint64_t tail = text.size() == whole ? 0 : load(text.data() + whole, text.size() - whole);
  state.take(tail | static_cast<std::uint64_t>(text.size()) << 56);
  state.v2 ^= 0xff;
  for (int i = 0; i < 4; ++i) state.round();
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

std::int64_t row_checksum(const HashKey& key, std::initializer_list<std::uint64_t> parts) {
  const auto* bytes = reinterpret_cast<const char*>(parts.begin());
  return static_cast<std::int64_t>(siphash(key, std::string_view(bytes, parts.size() * sizeof(std::uint64_t))));
}

}  // namespace carillon
