#include "load/crowd.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "load/thread_call.hpp"
#include "protocol/close_code.hpp"

namespace carillon::bench {

namespace {

constexpr std::uint32_t kBackOffMsMax = 100;

// What becomes of one that does not read. 0: not even that gets through.
bool is_for_stalling(std::uint16_t code) {
  using protocol::CloseCode;
  return code == 0 || CloseCode(code) == CloseCode::too_slow || CloseCode(code) == CloseCode::heartbeat_timeout;
}

}  // namespace

Crowd::Crowd(const Target& target, CrowdOptions options)
    : target_(target), options_(std::move(options)), thread_(clock_, "clients") {
  for (std::uint32_t user = 0; user < options_.users; ++user)
    tokens_.push_back(target.token(user_name(options_.first_user + user), options_.scope));
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
  while (begun_ < growing_->count && shaking_hands_ < growing_->at_once) connect(begun_++);
  if (begun_ < growing_->count || shaking_hands_ > 0) return;
  if (!std::exchange(growing_->is_done, true)) growing_->done.set_value();
}

void Crowd::connect(std::uint32_t number) {
  if (number == clients_.size()) {
    Client& added = *clients_.emplace_back(std::make_unique<Client>(*this));
    added.number = number;
    added.stream = std::make_unique<StreamClient>(number, thread_.loop(), room_, static_cast<Owner&>(*this));
  }
  Client& client = *clients_[number];
  client.stream->set_position({});
  client.is_shaking_hands = true;
  ++shaking_hands_;
  open(client);
}

void Crowd::open(Client& client) {
  client.begun = std::chrono::steady_clock::now();
  const auto link = client.number < options_.narrow ? Link::narrow : Link::local;
  const auto opened = client.stream->open(target_, tokens_[client.number % options_.users], link);
  if (opened) return;
  if (client.is_returning) return open_again(client);
  on_fault(client.number, opened.error().message);
  end_handshake(client);
}

void Crowd::open_again(Client& client) {
  thread_.loop().arm(client.retry, milliseconds(1 + random_() % kBackOffMsMax));
}

void Crowd::end_handshake(Client& client) {
  if (std::exchange(client.is_shaking_hands, false)) --shaking_hands_;
}

void Crowd::remember_positions() {
  call_on(thread_.loop(), [&] {
    for (const auto& client : clients_) client->remembered = client->stream->position();
  });
}

void Crowd::leave() {
  call_on(thread_.loop(), [&] {
    for (const auto& client : clients_) {
      client->stream->close();
      end_handshake(*client);
    }
    begun_ = 0;
  });
}

Crowd::Return Crowd::come_back(milliseconds patience) {
  auto done = call_on(thread_.loop(), [&] {
    returning_ = Returning{.done = {}, .is_done = false, .result = {}};
    auto future = returning_->done.get_future();
    begun_ = size_;
    for (const auto& client : clients_) {
      client->is_returning = true;
      client->stream->set_position(client->remembered);
      open(*client);
    }
    return future;
  });
  const bool in_time = done.wait_for(patience) == std::future_status::ready;
  return call_on(thread_.loop(), [&] {
    if (!in_time) faults_.add("clients were not live again in time");
    const Return result = returning_->result;
    returning_.reset();
    return result;
  });
}

void Crowd::stall() {
  call_on(thread_.loop(), [&] {
    stalls_ = true;
    for (std::uint32_t i = 0; i < options_.narrow; ++i) clients_[i]->stream->pause();
  });
}

void Crowd::go_on() {
  call_on(thread_.loop(), [&] {
    stalls_ = false;
    for (std::uint32_t i = 0; i < options_.narrow; ++i) clients_[i]->stream->go_on();
  });
}

std::uint64_t Crowd::times_closed_for_stalling() {
  return call_on(thread_.loop(), [&] { return closed_for_stalling_; });
}

Crowd::Heartbeats Crowd::heartbeats() {
  return call_on(thread_.loop(), [&] {
    Heartbeats result{.all = 0, .fewest = UINT32_MAX};
    for (const auto& client : clients_) {
      result.all += client->heartbeats;
      result.fewest = std::min(result.fewest, client->heartbeats);
    }
    return result;
  });
}

void Crowd::on_connected(std::uint32_t client) {
  if (growing_ && clients_[client]->stream->is_resumed()) ++growing_->growth.resumed;
  if (returning_ && returning_->result.first_connected == MonoTime())
    returning_->result.first_connected = std::chrono::steady_clock::now();
}

void Crowd::on_accepted(std::uint32_t client, std::optional<std::string_view> gap) {
  if (gap) on_fault(client, fmt::format("was told of a gap: {}", *gap));
  const MonoTime now = std::chrono::steady_clock::now();
  if (returning_ && returning_->result.first_accepted == MonoTime()) returning_->result.first_accepted = now;
  if (growing_) growing_->growth.handshakes.record(now - clients_[client]->begun);
}

void Crowd::on_live(std::uint32_t client, std::uint64_t) {
  Client& its = *clients_[client];
  if (growing_ && its.is_shaking_hands) ++growing_->growth.connected;
  end_handshake(its);
  connect_more();
  if (stalls_ && client < options_.narrow) its.stream->pause();
  if (!std::exchange(its.is_returning, false) || !returning_) return;
  returning_->result.last_live = std::chrono::steady_clock::now();
  if (++returning_->result.live == size_ && !std::exchange(returning_->is_done, true)) returning_->done.set_value();
}

void Crowd::on_notification(std::uint32_t client, std::string_view text) {
  if (audit_ != nullptr) return audit_->on_notification(client, text, std::chrono::steady_clock::now());
  faults_.add(fmt::format("client {} got an event when none was published", client));
}

void Crowd::on_heartbeat(std::uint32_t client, const StreamClient::Heartbeat& heartbeat) {
  ++clients_[client]->heartbeats;
  if (heartbeat.delivered == heartbeat.counted) return;
  on_fault(client,
           fmt::format("the server counted {} notifications, the client {}", heartbeat.delivered, heartbeat.counted));
}

void Crowd::on_fault(std::uint32_t client, std::string_view what) {
  faults_.add(fmt::format("client {}: {}", client, what));
}

void Crowd::on_end(std::uint32_t client, const StreamClient::Ending& ending) {
  Client& its = *clients_[client];
  if (client < options_.narrow && !its.is_shaking_hands && is_for_stalling(ending.code)) {
    ++closed_for_stalling_;
    return open_again(its);
  }
  if (its.is_returning) return open_again(its);
  on_fault(client, ending.why);
  end_handshake(its);
  connect_more();
}

void Crowd::attend(DeliveryAudit* audit) {
  call_on(thread_.loop(), [&] { audit_ = audit; });
}

Faults Crowd::take_faults() {
  return call_on(thread_.loop(), [&] { return std::exchange(faults_, {}); });
}

}  // namespace carillon::bench
