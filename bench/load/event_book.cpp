#include "load/event_book.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <random>
#include <utility>

namespace carillon::bench {

namespace {

constexpr std::string_view kMark = R"("bench":")";

}  // namespace

std::string user_name(std::uint32_t user) {
  return fmt::format("user-{:06}", user);
}

std::string make_run_name() {
  std::random_device device;
  return fmt::format("{:08x}", static_cast<std::uint32_t>(device()));
}

EventBook EventBook::mixed(std::string run, std::size_t count, std::uint32_t users) {
  EventBook book(std::move(run));
  book.orders_of_.assign(users, 0);
  std::mt19937 random(1);  // the same run every time
  constexpr std::array kKinds = {EventKind::new_trade_signal, EventKind::order_update, EventKind::system_alert};
  for (std::size_t i = 0; i < count; ++i) {
    const EventKind kind = kKinds.at(i % kKinds.size());
    const auto user = static_cast<std::uint32_t>(random() % users);
    book.events_.push_back({.kind = kind, .user = user});
    kind == EventKind::order_update ? ++book.orders_of_[user] : ++book.broadcasts_;
  }
  return book;
}

EventBook EventBook::alerts(std::string run, std::size_t count) {
  EventBook book(std::move(run));
  book.events_.assign(count, {.kind = EventKind::system_alert});
  book.broadcasts_ = count;
  return book;
}

EventBook EventBook::orders(std::string run, const Orders& plan) {
  EventBook book(std::move(run));
  book.first_user_ = plan.first_user;
  book.life_ = plan.life;
  book.orders_of_.assign(plan.users, 0);
  std::uint32_t next_favoured = 0, next_other = plan.favoured;
  double signals_due = 0;
  for (std::size_t i = 0; i < plan.count; ++i) {
    if (signals_due += plan.to_all; signals_due >= 1) {
      signals_due -= 1;
      book.events_.push_back({.kind = EventKind::new_trade_signal});
      ++book.broadcasts_;
      continue;
    }
    const bool favours = plan.favoured > 0 && i % 5 != 0;
    const std::uint32_t user = favours ? next_favoured++ : next_other++;
    if (next_favoured == plan.favoured) next_favoured = 0;
    if (next_other == plan.users) next_other = plan.favoured;
    book.events_.push_back({.kind = EventKind::order_update, .user = user, .update = book.orders_of_[user]++});
  }
  return book;
}

std::string EventBook::id(std::size_t number) const {
  return fmt::format("{}-{}", run_, number);
}

std::string EventBook::order_payload(std::size_t number) const {
  const Planned& event = events_[number];
  const std::uint32_t life = std::max(life_, 1U);
  const std::uint32_t step = event.update % life;
  const bool is_last = step + 1 == life;
  const OrderStatus open = step == 0 ? OrderStatus::submitted : OrderStatus::partially_filled;
  const std::string filled = is_last ? fmt::format("{}.50", life) : fmt::format("{}.00", step);
  const std::string order =
      life_ == 0 ? id(number) : fmt::format("{}-{}-{}", run_, user_name(event.user), event.update / life);
  return fmt::format(
      R"({{"order_id":"o-{0}","client_order_id":"c-{0}","instrument_id":"BTC/USDT","status":"{1}",)"
      R"("side":"BUY","type":"LIMIT","quantity_total":{2}.50,"quantity_filled":{3},"price_avg_filled":64000.10,)"
      R"("bench":"{4}"}})",
      order, to_string(is_last ? OrderStatus::filled : open), life, filled, id(number));
}

std::string EventBook::payload(std::size_t number) const {
  const std::string mark = id(number);
  switch (kind(number)) {
    case EventKind::new_trade_signal:
      return fmt::format(
          R"({{"signal_id":"s-{0}","instrument_id":"BTC/USDT","direction":"BUY","entry_price":64000.10,)"
          R"("stop_loss":63250.00,"take_profit":[64800.50,65500.00],"source_agent_id":"AnalystAgent-001",)"
          R"("confidence":0.82,"bench":"{0}"}})",
          mark);
    case EventKind::order_update:
      return order_payload(number);
    case EventKind::system_alert:
      break;
  }
  return fmt::format(
      R"({{"alert_id":"a-{0}","level":"CRITICAL","message":"Connection to the exchange lost; orders are held until it is )"
      R"(back. Positions are not affected.","component":"ExchangeGateway-02","bench":"{0}"}})",
      mark);
}

std::string EventBook::envelope(std::size_t number) const {
  std::string text = fmt::format(R"({{"id":"{}","event":"{}",)", id(number), to_string(kind(number)));
  if (kind(number) == EventKind::order_update)
    text += fmt::format(R"("user_id":"{}",)", user_name(first_user_ + events_[number].user));
  return text + R"("payload":)" + payload(number) + "}";
}

std::string EventBook::batch(std::size_t first, std::size_t count) const {
  std::string text = "[";
  for (std::size_t number = first; number < first + count; ++number) {
    if (number > first) text += ',';
    text += envelope(number);
  }
  return text + "]";
}

bool EventBook::is_for(std::size_t number, std::uint32_t user) const {
  const Planned& event = events_[number];
  return event.kind != EventKind::order_update || event.user == user;
}

std::size_t EventBook::count_for(std::uint32_t user) const {
  return broadcasts_ + (user < orders_of_.size() ? orders_of_[user] : 0);
}

std::optional<std::size_t> EventBook::number_in(std::string_view notification) const {
  const std::size_t mark = notification.rfind(kMark);
  if (mark == std::string_view::npos) return std::nullopt;
  std::string_view text = notification.substr(mark + kMark.size());
  if (!text.starts_with(run_) || text.substr(run_.size(), 1) != "-") return std::nullopt;
  text.remove_prefix(run_.size() + 1);
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end == text.data() + text.size() || *end != '"' || number >= size()) return std::nullopt;
  return number;
}

}  // namespace carillon::bench
