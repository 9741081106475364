#include "campaign/user_events.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace carillon::campaign {

namespace {

constexpr std::size_t kOrdersAtOnce = 8;

std::string decimal(std::uint32_t hundredths) {
  return fmt::format("{}.{:02}", hundredths / 100, hundredths % 100);
}

std::string id_of(const Mark& mark) {
  return fmt::format("{}.{}", mark.stream, mark.number);
}

// `payload` lacks its last brace. `to`: the members user_id or audience with a comma behind, or nothing.
std::string envelope(std::string_view id, std::string_view event, std::string_view to, std::string payload,
                     const Mark& mark) {
  append_mark(payload, mark);
  return fmt::format(R"({{"id":"{}","event":"{}",{}"payload":{}}})", id, event, to, payload);
}

std::string narrowed_to(std::string_view audience) {
  return audience.empty() ? std::string() : fmt::format(R"("audience":{{"users":[{}]}},)", audience);
}

}  // namespace

std::string user_name(std::uint32_t user) {
  return fmt::format("trader-{}", user);
}

std::string signal_envelope(const Mark& mark, std::string_view audience) {
  return envelope(id_of(mark), "new_trade_signal", narrowed_to(audience),
                  fmt::format(R"({{"signal_id":"s-{}","instrument_id":"BTC/USDT","direction":"SELL",)"
                              R"("entry_price":64000.10,"stop_loss":64950.00,"take_profit":[63000.50,62000],)"
                              R"("source_agent_id":"AnalystAgent-001","confidence":0.80)",
                              id_of(mark)),
                  mark);
}

std::string alert_envelope(const Mark& mark, std::string_view audience) {
  constexpr std::array kLevels = {"INFO", "WARNING", "ERROR", "CRITICAL"};
  return envelope(id_of(mark), "system_alert", narrowed_to(audience),
                  fmt::format(R"({{"alert_id":"a-{}","level":"{}","message":"orders are held: \"risk limit\" Ω",)"
                              R"("component":"RiskGateway")",
                              id_of(mark), kLevels[mark.number % kLevels.size()]),
                  mark);
}

UserEvents::UserEvents(std::uint32_t user, const Streams& streams, std::uint64_t seed)
    : user_(user), streams_(streams), random_(seed) {
  last_.push_back({streams.of(user, Kind::order), 0});
  if (streams.is_whole()) return;
  for (const Kind kind : {Kind::signal, Kind::alert}) last_.push_back({streams.of(user, kind), 0});
}

Mark UserEvents::next(Kind kind) {
  Mark& last = last_[last_.size() == 1 ? 0 : static_cast<std::size_t>(kind)];
  ++last.number;
  return last;
}

std::vector<std::uint64_t> UserEvents::open() const {
  std::vector<std::uint64_t> numbers;
  for (const Order& order : orders_)
    if (!order.is_over) numbers.push_back(order.number);
  std::ranges::sort(numbers);
  return numbers;
}

std::uint32_t UserEvents::append_next(std::string& batch) {
  const auto add = [&](const std::string& text) {
    if (batch.back() != '[') batch.push_back(',');
    batch += text;
  };
  const std::uint32_t kind = random(1000);
  if (kind < 20) {
    const std::string audience = fmt::format(R"("{}")", user_name(user_));
    add(kind < 10 ? signal_envelope(next(Kind::signal), audience) : alert_envelope(next(Kind::alert), audience));
    return 1;
  }
  Order& order = some_order();
  std::uint32_t before = 0;
  if (order.status == "PARTIALLY_FILLED" && kind >= 980) {
    // Without one order over both users, no log says whose update was the first.
    const bool may_be_foreign = streams_.is_whole() && streams_.users() > 1;
    add(kind == 980 && may_be_foreign ? foreign_envelope(order) : late_envelope(order));
    before = 1;
  }
  advance(order);
  const Mark mark = next(Kind::order);
  order.number = mark.number;
  add(order_envelope(id_of(mark), order, user_));
  // What follows the end of an order would be refused whatever it says.
  if (order.is_over && random(50) == 0) {
    add(late_envelope(order));
    ++before;
  }
  return before + 1;
}

UserEvents::Order& UserEvents::some_order() {
  std::erase_if(orders_, [](const Order& order) { return order.is_over; });
  if (orders_.size() < kOrdersAtOnce && (orders_.empty() || random(3) == 0))
    return orders_.emplace_back(Order{.name = ++orders_made_, .total = 100 + random(100'000), .status = {}});
  return orders_[random(static_cast<std::uint32_t>(orders_.size()))];
}

void UserEvents::advance(Order& order) {
  const std::uint32_t choice = random(100);
  if (order.status.empty()) {
    order.status = "SUBMITTED";
  } else if (order.status == "SUBMITTED" && choice < 5) {
    order.status = "REJECTED";
  } else if (choice < 15) {
    order.status = choice < 10 ? "CANCELED" : "EXPIRED";
  } else if (choice < 75 && order.total - order.filled > 1) {
    order.status = "PARTIALLY_FILLED";
    order.filled += 1 + random(order.total - order.filled - 1);
  } else {
    order.status = "FILLED";
    order.filled = order.total;
  }
  order.is_over = order.status != "SUBMITTED" && order.status != "PARTIALLY_FILLED";
}

std::string UserEvents::order_envelope(std::string_view id, const Order& order, std::uint32_t user) const {
  const std::string price = order.filled > 0 ? R"("price_avg_filled":64000.10,)" : "";
  return envelope(id, "order_update", fmt::format(R"("user_id":"{}",)", user_name(user)),
                  fmt::format(R"({{"order_id":"o-{}-{}","instrument_id":"ETH/USDT","status":"{}","side":"BUY",)"
                              R"({}"type":"LIMIT","quantity_total":{},"quantity_filled":{})",
                              user_, order.name, order.status, price, decimal(order.total), decimal(order.filled)),
                  {user_, order.number});
}

// What a producer sends that is behind: the order's beginning, less than was filled, or the same again.
std::string UserEvents::late_envelope(Order order) {
  const std::uint32_t choice = random(3);
  if (choice == 0) order.status = "SUBMITTED";
  if (choice < 2) {
    order.filled = choice == 0 ? 0 : order.filled / 2;
    order.number = 0;
  }
  return order_envelope(id_for_nobody(), order, user_);
}

// Delivered to the other user it would be one of a foreign stream, delivered to its own one for nobody.
std::string UserEvents::foreign_envelope(Order order) {
  order.number = 0;
  return order_envelope(id_for_nobody(), order, (user_ + 1 + random(streams_.users() - 1)) % streams_.users());
}

std::string UserEvents::id_for_nobody() {
  return fmt::format("{}.n{}", user_, ++for_nobody_);
}

}  // namespace carillon::campaign
