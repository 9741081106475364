#pragma once

#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <vector>

#include "load/connection.hpp"
#include "load/delivery_audit.hpp"
#include "load/faults.hpp"
#include "load/histogram.hpp"
#include "load/stream_client.hpp"
#include "load/target.hpp"
#include "runtime/loop.hpp"

namespace carillon::bench {

// All clients of a run, on one thread of their own. Its calls are for one other thread.
class Crowd final : StreamClient::Owner {
 public:
  // Client c is of user c % users. `target` outlives the crowd.
  Crowd(const Target& target, std::uint32_t users);
  ~Crowd();
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

  struct Growth {
    std::uint32_t connected = 0;  // that many more are live
    std::chrono::nanoseconds took{0};
    Histogram handshakes;  // from connect() to auth_ok
  };
  // Connects clients until there are `count`, `at_once` at a time; gives up after `patience`.
  [[nodiscard]] Growth grow_to(std::uint32_t count, std::uint32_t at_once, milliseconds patience);

  // From now on notifications go to this audit, which covers all clients that there are; null: any is a fault.
  void attend(DeliveryAudit* audit);

  // Refusals, broken connections, wrong counts in pings: everything the audit does not see, since the last call.
  [[nodiscard]] Faults take_faults();

  [[nodiscard]] std::uint32_t size() const { return size_; }
  [[nodiscard]] std::uint32_t users() const { return users_; }

 private:
  struct Growing {
    std::uint32_t count;
    std::uint32_t at_once;
    std::promise<void> done;
    bool is_done = false;
    Growth growth;
  };
  struct Client {
    std::unique_ptr<StreamClient> stream;
    MonoTime begun;
    bool is_shaking_hands = true;
  };

  void on_accepted(std::uint32_t client, std::optional<std::string_view> gap) override;
  void on_notification(std::uint32_t client, std::string_view text) override;
  void on_live(std::uint32_t, std::uint64_t) override {}
  void on_heartbeat(std::uint32_t client, const StreamClient::Heartbeat& heartbeat) override;
  void on_fault(std::uint32_t client, std::string_view what) override;
  void on_end(std::uint32_t client, const StreamClient::Ending& ending) override;

  void connect_more();
  void open_next();
  void end_handshake(Client& client);

  const Target& target_;
  const std::uint32_t users_;
  SystemClock clock_;
  std::vector<std::string> tokens_;  // by user
  std::uint32_t size_ = 0;
  runtime::LoopThread thread_;

  // Of the thread.
  ConnectionRoom room_;
  std::vector<Client> clients_;
  std::uint32_t shaking_hands_ = 0;
  std::optional<Growing> growing_;
  DeliveryAudit* audit_ = nullptr;
  Faults faults_;
};

}  // namespace carillon::bench
