#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "campaign/mark.hpp"
#include "campaign/streams.hpp"

namespace carillon::campaign {

// The name of a user. Some are the beginning of another's.
[[nodiscard]] std::string user_name(std::uint32_t user);

// An envelope as POST /v1/events takes it, with `audience` a list of quoted names or empty.
[[nodiscard]] std::string signal_envelope(const Mark& mark, std::string_view audience);
[[nodiscard]] std::string alert_envelope(const Mark& mark, std::string_view audience);

// The events of one user: orders that live plausible lives side by side, and now and then a signal or an alert for this
// user alone. Among them what must reach nobody: an update that comes too late and one that names another user's order,
// both with number 0, and one that was there before under another event id. One thread.
class UserEvents {
 public:
  UserEvents(std::uint32_t user, const Streams& streams, std::uint64_t seed);

  // Appends envelopes to a batch, separated by commas: the next, and sometimes one for nobody before it.
  // Returns how many.
  std::uint32_t append_next(std::string& batch);
  // The last of each of its streams.
  [[nodiscard]] std::span<const Mark> last() const { return last_; }
  [[nodiscard]] std::uint32_t user() const { return user_; }
  // The numbers of the last updates of the orders that have not ended, in order.
  [[nodiscard]] std::vector<std::uint64_t> open() const;

 private:
  using Kind = Streams::Kind;
  struct Order {
    std::uint64_t name;
    std::uint32_t total;  // hundredths
    std::uint32_t filled = 0;
    std::string_view status;   // empty: not submitted yet
    std::uint64_t number = 0;  // of its last update
    bool is_over = false;
  };

  [[nodiscard]] std::uint32_t random(std::uint32_t below) { return static_cast<std::uint32_t>(random_() % below); }
  [[nodiscard]] Mark next(Kind kind);
  [[nodiscard]] Order& some_order();
  void advance(Order& order);
  [[nodiscard]] std::string order_envelope(std::string_view id, const Order& order, std::uint32_t user) const;
  [[nodiscard]] std::string late_envelope(Order order);
  [[nodiscard]] std::string foreign_envelope(Order order);
  [[nodiscard]] std::string id_for_nobody();

  std::uint32_t user_;
  Streams streams_;
  std::mt19937_64 random_;
  std::vector<Order> orders_;
  std::uint64_t orders_made_ = 0;
  std::vector<Mark> last_;  // by kind, or one for all kinds
  std::uint64_t for_nobody_ = 0;
};

}  // namespace carillon::campaign
