#include "notification/order_rules.hpp"

#include <algorithm>
#include <array>
#include <functional>

#include "base/ensure.hpp"

namespace carillon::notification {

namespace {

// In the order of the enumeration.
constexpr std::array<std::string_view, 6> kRulings = {"publish",         "repeat",      "after_terminal",
                                                      "submitted_again", "filled_fell", "owner_mismatch"};

// Stands for the text, which may be long: it is only ever compared with the one update before it.
std::uint64_t hash_of(const std::string& payload) {
  return std::hash<std::string>{}(payload);
}

}  // namespace

std::string_view to_string(Ruling ruling) {
  return kRulings.at(static_cast<std::size_t>(ruling));
}

// The rules. The first that holds decides.
Ruling OrderRules::judge(const Order& order, const Event& update) {
  const OrderFacts& said = *update.order;
  if (update.user_id != order.owner) return Ruling::owner_mismatch;
  if (is_terminal(order.status)) return Ruling::after_terminal;
  if (hash_of(update.payload) == order.payload_hash) return Ruling::repeat;
  if (said.status == OrderStatus::submitted && order.status != OrderStatus::submitted) return Ruling::submitted_again;
  if (said.quantity_filled < order.filled) return Ruling::filled_fell;
  return Ruling::publish;
}

OrderRules::OrderRules(const Options& options) : options_(options) {
  ensure(options_.orders_max > 0, "the order rules remember at least one order");
}

OrderRules::Decision OrderRules::decide(const Event& event, Ordinal ordinal, WallTime logged_at) {
  if (!event.order) return {};
  now_ = std::max(now_, logged_at);
  forget_ended();
  const auto known = orders_.find(event.order->order_id);
  if (known == orders_.end()) {
    step(begin(event), event, ordinal);
    return {};
  }
  Order& order = known->second;
  const Ruling ruling = judge(order, event);
  if (ruling != Ruling::publish) return {.ruling = ruling};
  const Ordinal previous = order.ordinal;
  step(order, event, ordinal);
  return {.ruling = Ruling::publish, .previous = previous};
}

OrderRules::Order& OrderRules::begin(const Event& update) {
  if (orders_.size() >= options_.orders_max) {
    forget_first(ended_.empty() ? open_ : ended_);
    ++forgotten_;
  }
  const auto entry = orders_.try_emplace(update.order->order_id).first;
  entry->second.owner = update.user_id;
  entry->second.place = open_.insert(open_.end(), &*entry);
  return entry->second;
}

void OrderRules::step(Order& order, const Event& update, Ordinal ordinal) {
  order.status = update.order->status;
  order.filled = update.order->quantity_filled;
  order.payload_hash = hash_of(update.payload);
  order.ordinal = ordinal;
  order.at = now_;
  Queue& to = is_terminal(order.status) ? ended_ : open_;
  to.splice(to.end(), open_, order.place);
}

void OrderRules::forget_ended() {
  while (!ended_.empty() && now_ - ended_.front()->second.at > options_.terminal_memory) forget_first(ended_);
}

void OrderRules::forget_first(Queue& queue) {
  orders_.erase(orders_.find(queue.front()->first));
  queue.pop_front();
}

}  // namespace carillon::notification
