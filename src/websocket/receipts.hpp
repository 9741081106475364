#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>

#include "base/clock.hpp"
#include "event/position.hpp"

namespace carillon::websocket {

// When what one client acknowledges was written to it (protocol 6.5): the last writes, as far as they are needed to
// measure; a receipt that comes after many more has no time.
class Receipts {
 public:
  void wrote(Ordinal up_to, MonoTime at) {
    if (count_ == kWrites) {
      forgotten_ = writes_.front().up_to;
      std::move(writes_.begin() + 1, writes_.end(), writes_.begin());
      --count_;
    }
    writes_.at(count_++) = {up_to, at};
  }

  // When `ordinal` was written. What is before it needs no receipt of its own any more.
  [[nodiscard]] std::optional<MonoTime> received(Ordinal ordinal) {
    if (ordinal <= forgotten_) return std::nullopt;
    std::size_t first = 0;
    while (first < count_ && writes_.at(first).up_to < ordinal) ++first;
    if (first == count_) return std::nullopt;
    const MonoTime at = writes_.at(first).at;
    forgotten_ = ordinal;
    std::move(writes_.begin() + static_cast<std::ptrdiff_t>(first), writes_.end(), writes_.begin());
    count_ -= first;
    return at;
  }

 private:
  static constexpr std::size_t kWrites = 16;
  struct Write {
    Ordinal up_to = 0;
    MonoTime at;
  };
  std::array<Write, kWrites> writes_{};
  std::size_t count_ = 0;
  Ordinal forgotten_ = 0;  // nothing is known of what is before or at this one
};

}  // namespace carillon::websocket
