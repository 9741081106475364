#include "base/recent_table.hpp"

#include <random>

namespace carillon {
namespace {

HashKey random_key() {
  std::random_device random;
  const auto word = [&] { return std::uint64_t{random()} << 32U | random(); };
  return {word(), word()};
}

}  // namespace

Fingerprint fingerprint_of(std::string_view text) {
  static const HashKey high = random_key();
  static const HashKey low = random_key();
  return {siphash(high, text), siphash(low, text)};
}

}  // namespace carillon
