#include "load/crowd.hpp"

#include <fmt/format.h>

#include <utility>

#include "load/thread_call.hpp"

namespace carillon::bench {

Crowd::Crowd(const Target& target, std::uint32_t users) : target_(target), users_(users), thread_(clock_, "clients") {
  for (std::uint32_t user = 0; user < users; ++user) tokens_.push_back(target.token(user_name(user)));
  thread_.start();
}

Crowd::~Crowd() {
  thread_.stop();
}

Crowd::Growth Crowd::grow_to(std::uint32_t count, std::uint32_t at_once, milliseconds patience) {
  const MonoTime start = std::chrono::steady_clock::now();
  size_ = count;
  auto done = call_on(thread_.loop(), [&] {
    growing_ = Growing{.count = count, .at_once = at_once, .done = {}, .is_done = false, .growth = {}};
    auto future = growing_->done.get_future();
    connect_more();
    return future;
  });
  const bool in_time = done.wait_for(patience) == std::future_status::ready;
  const auto took = std::chrono::steady_clock::now() - start;
  return call_on(thread_.loop(), [&] {
    if (!in_time) faults_.add("clients were not connected in time");
    Growth growth = growing_->growth;
    growth.took = took;
    growing_.reset();
    return growth;
  });
}

void Crowd::connect_more() {
  if (!growing_) return;
  while (clients_.size() < growing_->count && shaking_hands_ < growing_->at_once) open_next();
  if (clients_.size() < growing_->count || shaking_hands_ > 0) return;
  if (!std::exchange(growing_->is_done, true)) growing_->done.set_value();
}

void Crowd::open_next() {
  const auto number = static_cast<std::uint32_t>(clients_.size());
  clients_.push_back({std::make_unique<StreamClient>(number, thread_.loop(), room_, static_cast<Owner&>(*this)),
                      std::chrono::steady_clock::now()});
  ++shaking_hands_;
  const auto opened = clients_.back().stream->open(target_, tokens_[number % users_]);
  if (opened) return;
  faults_.add(opened.error().message);
  end_handshake(clients_.back());
}

void Crowd::end_handshake(Client& client) {
  if (std::exchange(client.is_shaking_hands, false)) --shaking_hands_;
}

void Crowd::on_accepted(std::uint32_t client, std::optional<std::string_view>) {
  end_handshake(clients_[client]);
  if (!growing_) return;
  ++growing_->growth.connected;
  growing_->growth.handshakes.record(std::chrono::steady_clock::now() - clients_[client].begun);
  connect_more();
}

void Crowd::on_notification(std::uint32_t client, std::string_view text) {
  if (audit_ != nullptr) return audit_->on_notification(client, text, std::chrono::steady_clock::now());
  faults_.add(fmt::format("client {} got an event when none was published", client));
}

void Crowd::on_heartbeat(std::uint32_t client, const StreamClient::Heartbeat& heartbeat) {
  if (heartbeat.delivered == heartbeat.counted) return;
  faults_.add(fmt::format("client {}: the server counted {} notifications, the client {}", client, heartbeat.delivered,
                          heartbeat.counted));
}

void Crowd::on_fault(std::uint32_t client, std::string_view what) {
  faults_.add(fmt::format("client {}: {}", client, what));
}

void Crowd::on_end(std::uint32_t client, const StreamClient::Ending& ending) {
  on_fault(client, ending.why);
  end_handshake(clients_[client]);
  connect_more();
}

void Crowd::attend(DeliveryAudit* audit) {
  call_on(thread_.loop(), [&] { audit_ = audit; });
}

Faults Crowd::take_faults() {
  return call_on(thread_.loop(), [&] { return std::exchange(faults_, {}); });
}

}  // namespace carillon::bench
