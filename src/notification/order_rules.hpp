#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/clock.hpp"
#include "event/event.hpp"
#include "event/position.hpp"

namespace carillon::notification {

// What becomes of one more update of an order.
enum class Ruling : std::uint8_t {
  publish,          // it moves its order on
  repeat,           // it says word for word what stands already
  after_terminal,   // its order has ended
  submitted_again,  // SUBMITTED, and its order was further
  filled_fell,      // less is filled than there was
  owner_mismatch,   // it names another user than the first update of its order
};
[[nodiscard]] std::string_view to_string(Ruling ruling);

// The life of every order: status only moves forward, what is filled never falls, and an order is one user's.
//
// A pure function of the updates it was asked about, in the order of the log, so that every node decides alike. It has
// no clock: its time is the latest `logged_at` it has seen, and never goes back. The last published update of an order
// is all that its rules need, so that a log which keeps only that one leads to the same decisions.
// One thread. About 250 bytes an order.
class OrderRules {
 public:
  struct Options {
    // An order is forgotten when more than this has passed since it ended; an update that comes then begins a new one.
    milliseconds terminal_memory = std::chrono::hours{24};
    // At least 1. Beyond it, the order that ended first is forgotten; when all are open, the one that stood longest.
    std::size_t orders_max = kOrdersMax;
  };
  struct Decision {
    Ruling ruling = Ruling::publish;
    Ordinal previous = 0;  // of what is published: where its order stood before; 0: it is the first

    bool operator==(const Decision&) const = default;
  };

  explicit OrderRules(const Options& options);
  OrderRules(const OrderRules&) = delete;
  OrderRules& operator=(const OrderRules&) = delete;

  // Decides, and remembers what is published as the state of its order. Other events have no life: published.
  [[nodiscard]] Decision decide(const Event& event, Ordinal ordinal, WallTime logged_at);

  [[nodiscard]] std::size_t remembered() const { return orders_.size(); }
  // Orders that left because of `orders_max`.
  [[nodiscard]] std::uint64_t forgotten() const { return forgotten_; }

 private:
  struct Order;
  using Entry = std::pair<const std::string, Order>;  // by its id
  using Queue = std::list<Entry*>;                    // the next to be forgotten first

  // The last published update.
  struct Order {
    UserId owner;
    OrderStatus status{};
    Decimal filled;
    std::uint64_t payload_hash = 0;
    Ordinal ordinal = 0;
    WallTime at;            // the rules' time of it
    Queue::iterator place;  // in ended_ or open_
  };

  [[nodiscard]] static Ruling judge(const Order& order, const Event& update);
  [[nodiscard]] Order& begin(const Event& update);
  void step(Order& order, const Event& update, Ordinal ordinal);
  void forget_ended();
  void forget_first(Queue& queue);

  const Options options_;
  WallTime now_ = WallTime::min();
  std::unordered_map<std::string, Order> orders_;
  Queue ended_, open_;
  std::uint64_t forgotten_ = 0;
};

}  // namespace carillon::notification
