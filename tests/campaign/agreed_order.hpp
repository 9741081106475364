#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "campaign/mark.hpp"

namespace carillon::campaign {

// The order in which several followers see the same events: the first one defines it, the others must see it too. Keeps
// what lies between the first and the last follower. One thread.
class AgreedOrder {
 public:
  explicit AgreedOrder(std::size_t followers) : at_(followers, 0) {}

  // False when this is not what others saw here. The follower goes on behind it, if others saw it later.
  [[nodiscard]] bool take(std::size_t follower, const Mark& mark);

 private:
  struct Entry {
    Mark mark;
    std::size_t passed = 0;  // by so many followers
  };
  void pass(std::size_t follower);

  std::deque<Entry> order_;
  std::uint64_t begin_ = 0;        // the place of order_.front()
  std::vector<std::uint64_t> at_;  // by follower: the place it sees next
};

}  // namespace carillon::campaign
