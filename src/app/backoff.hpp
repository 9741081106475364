#pragma once

#include <algorithm>
#include <cstdint>
#include <random>

#include "base/clock.hpp"

namespace carillon::app {

// How long to wait before the next try: full jitter below a bound that doubles with every failure, so that clients
// which lost a server together do not come back together.
class Backoff {
 public:
  static constexpr milliseconds kFirst{500};
  static constexpr milliseconds kMost{20'000};

  explicit Backoff(std::uint64_t seed) : random_(seed) {}

  [[nodiscard]] milliseconds next() {
    const milliseconds wait{std::uniform_int_distribution<std::int64_t>(0, bound_.count())(random_)};
    bound_ = std::min(bound_ * 2, kMost);
    return wait;
  }
  void reset() { bound_ = kFirst; }

 private:
  std::mt19937_64 random_;
  milliseconds bound_ = kFirst;
};

}  // namespace carillon::app
