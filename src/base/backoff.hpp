#pragma once

#include <algorithm>
#include <cstdint>
#include <random>

#include "base/clock.hpp"

namespace carillon {

// How long to wait before the next try: random below a bound that doubles with every failure, so that those who lost a
// server together do not come back together.
class Backoff {
 public:
  struct Options {
    milliseconds first{500};  // the bound at first
    milliseconds most{20'000};
    bool at_least_half = false;  // no wait is shorter than half the bound
  };

  Backoff(const Options& options, std::uint64_t seed) : options_(options), random_(seed) {}

  [[nodiscard]] milliseconds next() {
    const std::int64_t least = options_.at_least_half ? bound_.count() / 2 : 0;
    const milliseconds wait{std::uniform_int_distribution<std::int64_t>(least, bound_.count())(random_)};
    bound_ = std::min(bound_ * 2, options_.most);
    return wait;
  }
  void reset() { bound_ = options_.first; }

 private:
  const Options options_;
  std::mt19937_64 random_;
  milliseconds bound_ = options_.first;
};

}  // namespace carillon
