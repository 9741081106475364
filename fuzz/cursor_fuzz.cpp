// Clients that come, read and stay away in any order (hub/cursor_trial.hpp): whatever happens is drawn from the bytes,
// and each gets what it should have, in order and once.

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/ensure.hpp"
#include "hub/cursor_trial.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kBytesMax = 4096;
  std::span<const std::uint8_t> left(data, size < kBytesMax ? size : kBytesMax);
  const auto byte = [&]() -> std::size_t {
    if (left.empty()) return 0;
    const std::size_t value = left.front();
    left = left.subspan(1);
    return value;
  };
  carillon::hub::CursorTrial trial([&](std::size_t below) {
    const std::size_t value = byte();
    return (below > 256 ? value << 8 | byte() : value) % below;
  });
  const char* complaint = nullptr;
  while (complaint == nullptr && !left.empty()) complaint = trial.step();
  if (complaint == nullptr) complaint = trial.finish();
  carillon::ensure(complaint == nullptr, complaint == nullptr ? "" : complaint);
  return 0;
}
