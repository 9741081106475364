#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "load/connection.hpp"
#include "load/stream_client.hpp"
#include "load/target.hpp"
#include "runtime/loop.hpp"
#include "runtime/timer_wheel.hpp"

namespace carillon::bench {

// Clients that are let in and then send WebSocket pings, as many as the kernel takes, and read nothing: not the pongs,
// nor why they are closed. The server closes them for it (4429); they send on until it cuts the connection, and come
// back. On a thread of its own; its calls are for one other thread.
class PingFlood final : StreamClient::Owner {
 public:
  // All of the user of that number. `target` outlives the flood.
  PingFlood(const Target& target, std::uint32_t clients, std::uint32_t user);
  ~PingFlood();
  PingFlood(const PingFlood&) = delete;
  PingFlood& operator=(const PingFlood&) = delete;

  struct Done {
    std::uint64_t pings = 0;  // given to the kernel
    std::uint64_t cut = 0;    // connections that the server ended
  };
  // Ends it.
  [[nodiscard]] Done stop();

 private:
  struct Client final : runtime::TimerHandler {
    Client(PingFlood& its_flood, std::uint32_t number)
        : flood(its_flood), stream(number, flood.thread_.loop(), flood.room_, static_cast<Owner&>(flood)) {}
    void on_timer() override { flood.open(*this); }

    PingFlood& flood;
    StreamClient stream;
    runtime::Timer retry{*this};
  };

  void on_connected(std::uint32_t) override {}
  void on_accepted(std::uint32_t, std::optional<std::string_view>) override {}
  void on_notification(std::uint32_t, std::string_view) override {}
  void on_live(std::uint32_t client, std::uint64_t replayed) override;
  void on_heartbeat(std::uint32_t, const StreamClient::Heartbeat&) override {}
  void on_fault(std::uint32_t, std::string_view) override {}
  void on_room(std::uint32_t client) override;
  void on_end(std::uint32_t client, const StreamClient::Ending& ending) override;

  void open(Client& client);
  void open_again(Client& client);

  const Target& target_;
  const std::string token_;
  const std::string pings_;  // as many as make a write
  SystemClock clock_;
  runtime::LoopThread thread_;

  // Of the thread.
  ConnectionRoom room_;
  std::mt19937 random_;
  Done done_;
  std::vector<std::unique_ptr<Client>> clients_;
};

}  // namespace carillon::bench
