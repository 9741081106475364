#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace carillon::campaign {

// Which events are numbered together: those whose order the log promises and that have one publisher.
class Streams {
 public:
  enum class Order : std::uint8_t {
    whole,    // all events of the log stand in one order
    per_key,  // those of one key do: an order's user, and of signals and alerts their kind
  };
  enum class Kind : std::uint8_t { order, signal, alert };

  Streams(std::uint32_t users, Order order) : users_(users), order_(order) {}

  // What goes to one user alone.
  [[nodiscard]] std::uint32_t of(std::uint32_t user, Kind kind) const {
    return is_whole() ? user : (static_cast<std::uint32_t>(kind) * users_) + user;
  }
  // What goes to all: kinds `signal` and `alert`.
  [[nodiscard]] std::uint32_t to_all(Kind kind) const { return own() + static_cast<std::uint32_t>(kind) - 1; }
  [[nodiscard]] std::uint32_t count() const { return own() + 2; }
  [[nodiscard]] bool is_to_all(std::uint32_t stream) const { return stream >= own(); }

  // The streams of one group stand in one order in the log, whoever gets them.
  [[nodiscard]] std::size_t groups() const { return is_whole() ? 1 : 3; }
  [[nodiscard]] std::size_t group_of(std::uint32_t stream) const {
    if (is_whole()) return 0;
    return is_to_all(stream) ? 1 + stream - own() : stream / users_;
  }

  [[nodiscard]] std::uint32_t users() const { return users_; }
  [[nodiscard]] bool is_whole() const { return order_ == Order::whole; }

 private:
  // The streams that each have one user begin with stream 0.
  [[nodiscard]] std::uint32_t own() const { return is_whole() ? users_ : 3 * users_; }

  std::uint32_t users_;
  Order order_;
};

}  // namespace carillon::campaign
