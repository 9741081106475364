#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "base/clock.hpp"

namespace carillon::websocket {

// A token bucket: `per_second` on average, `burst` at once. One peer's; shard-confined.
class RateLimit {
 public:
  RateLimit(std::uint32_t per_second, std::uint32_t burst, MonoTime now)
      : per_second_(static_cast<float>(per_second)), burst_(static_cast<float>(burst)), left_(burst_), last_(now) {}

  // Counts one more. The result is what is left: below zero it was one too many, and by how many since it had room.
  [[nodiscard]] float count(MonoTime now) {
    const std::chrono::duration<float> passed = now - last_;
    last_ = now;
    left_ = std::min(burst_, left_ + per_second_ * passed.count()) - 1.0F;
    return left_;
  }

 private:
  float per_second_;
  float burst_;
  float left_;
  MonoTime last_;
};

}  // namespace carillon::websocket
