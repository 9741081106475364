#include "load/ping_flood.hpp"

#include <array>

#include "load/event_book.hpp"
#include "load/thread_call.hpp"

namespace carillon::bench {

namespace {

constexpr std::uint32_t kPingsInAWrite = 2048;  // six bytes each: in one TLS record
constexpr std::uint32_t kBackOffMsMax = 100;

std::string make_pings() {
  std::string frames;
  for (std::uint32_t i = 0; i < kPingsInAWrite; ++i)
    websocket::append_masked_frame(frames, protocol::Opcode::ping, {}, std::array<std::uint8_t, 4>{1, 2, 3, 4});
  return frames;
}

}  // namespace

PingFlood::PingFlood(const Target& target, std::uint32_t clients, std::uint32_t user)
    : target_(target), token_(target.token(user_name(user), "orders")), pings_(make_pings()), thread_(clock_, "pings") {
  for (std::uint32_t number = 0; number < clients; ++number)
    clients_.push_back(std::make_unique<Client>(*this, number));
  thread_.start();
  call_on(thread_.loop(), [&] {
    for (const auto& client : clients_) open(*client);
  });
}

PingFlood::~PingFlood() {
  thread_.stop();
}

PingFlood::Done PingFlood::stop() {
  return call_on(thread_.loop(), [&] {
    for (const auto& client : clients_) {
      client->retry.disarm();
      client->stream.close();
    }
    return done_;
  });
}

void PingFlood::open(Client& client) {
  client.stream.set_position({});
  if (!client.stream.open(target_, token_)) open_again(client);
}

void PingFlood::open_again(Client& client) {
  thread_.loop().arm(client.retry, milliseconds(1 + random_() % kBackOffMsMax));
}

void PingFlood::on_live(std::uint32_t client, std::uint64_t) {
  clients_[client]->stream.pause();
  clients_[client]->stream.ask_for_more();
}

void PingFlood::on_room(std::uint32_t client) {
  clients_[client]->stream.send(pings_);
  done_.pings += kPingsInAWrite;
}

void PingFlood::on_end(std::uint32_t client, const StreamClient::Ending&) {
  ++done_.cut;
  open_again(*clients_[client]);
}

}  // namespace carillon::bench
