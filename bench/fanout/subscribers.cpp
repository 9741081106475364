#include "fanout/subscribers.hpp"

#include <fmt/format.h>

#include <chrono>
#include <thread>
#include <utility>

#include "base/ensure.hpp"
#include "fanout/hurry.hpp"
#include "load/thread_call.hpp"

namespace carillon::bench {

namespace {

// The clients look whether something came, instead of being woken for it: on one machine the server's send() would pay
// for the waking, more often the slower it is. What they tell of latency is late by that much at most.
constexpr std::chrono::microseconds kBetweenLooks{200};

std::optional<net::IpAddress> source_address(std::uint32_t number) {
  const auto address = net::IpAddress::parse(fmt::format("127.0.0.{}", 1 + number));
  ensure(address.has_value(), "there are 254 sources at most");
  return *address;
}

}  // namespace

Subscribers::Subscribers(const Target& target, const Dialect& dialect, Judge& judge, std::uint32_t sources)
    : target_(target), dialect_(dialect), judge_(judge), sources_(sources), thread_(clock_, "clients") {
  thread_.loop().at_turn_end([] { std::this_thread::sleep_for(kBetweenLooks); });
  thread_.start();
}

std::uint32_t Subscribers::connect(std::uint32_t count, std::uint32_t at_once, milliseconds patience) {
  auto done = call_on(thread_.loop(), [&] {
    count_ = count;
    at_once_ = at_once;
    auto future = all_tried_.emplace().get_future();
    connect_more();
    return future;
  });
  const bool in_time = done.wait_for(patience) == std::future_status::ready;
  return call_on(thread_.loop(), [&] {
    all_tried_.reset();
    if (!in_time) faults_.add("clients were not connected in time");
    return live_;
  });
}

void Subscribers::connect_more() {
  while (clients_.size() < count_ && trying_ < at_once_) add_client();
  if (clients_.size() == count_ && trying_ == 0 && all_tried_) std::exchange(all_tried_, std::nullopt)->set_value();
}

void Subscribers::add_client() {
  const auto number = static_cast<std::uint32_t>(clients_.size());
  Subscriber& client = clients_.emplace_back(number, dialect_, thread_.loop(), room_, static_cast<Owner&>(*this));
  is_trying_.push_back(true);
  ++trying_;
  const auto opened = client.open(target_, sources_ > 1 ? source_address(number % sources_) : std::nullopt);
  if (opened) return;
  on_fault(number, opened.error().message);
  end_try(number);
}

void Subscribers::end_try(std::uint32_t client) {
  if (!is_trying_[client]) return;
  is_trying_[client] = false;
  --trying_;
}

void Subscribers::on_live(std::uint32_t client) {
  ++live_;
  end_try(client);
  connect_more();
}

void Subscribers::on_fault(std::uint32_t client, std::string_view what) {
  faults_.add(fmt::format("client {}: {}", client, what));
}

void Subscribers::on_end(std::uint32_t client, std::string_view why) {
  on_fault(client, why);
  end_try(client);
  connect_more();
}

void Subscribers::hurry() {
  call_on(thread_.loop(), hurry_this_thread);
}

Faults Subscribers::conclude() {
  thread_.stop();
  return faults_;
}

}  // namespace carillon::bench
