#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <utility>

#include "base/clock.hpp"
#include "event/place.hpp"

namespace carillon::websocket {

// When what one client acknowledges was written to it (protocol 6.5): the last writes, as far as they are needed to
// measure; a receipt that comes after many more has no time.
class Receipts {
 public:
  // After the write the client is at `up_to`, which covers what was said before.
  void wrote(Place up_to, MonoTime at) {
    if (count_ == kWrites) {
      forgotten_ = std::move(writes_.front().up_to);
      std::move(writes_.begin() + 1, writes_.end(), writes_.begin());
      --count_;
    }
    writes_.at(count_++) = {std::move(up_to), at};
  }

  // When the client was brought to `place`. What is before it needs no receipt of its own any more.
  [[nodiscard]] std::optional<MonoTime> received(const Place& place) {
    if (forgotten_.covers(place)) return std::nullopt;
    std::size_t first = 0;
    while (first < count_ && !writes_.at(first).up_to.covers(place)) ++first;
    if (first == count_) return std::nullopt;
    const MonoTime at = writes_.at(first).at;
    forgotten_ = place;
    if (first > 0) std::move(writes_.begin() + static_cast<std::ptrdiff_t>(first), writes_.end(), writes_.begin());
    count_ -= first;
    return at;
  }

 private:
  static constexpr std::size_t kWrites = 16;
  struct Write {
    Place up_to;
    MonoTime at;
  };
  std::array<Write, kWrites> writes_{};
  std::size_t count_ = 0;
  Place forgotten_;  // nothing is known of what it covers
};

}  // namespace carillon::websocket
