#pragma once

#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <random>
#include <vector>

#include "load/connection.hpp"
#include "load/delivery_audit.hpp"
#include "load/faults.hpp"
#include "load/histogram.hpp"
#include "load/stream_client.hpp"
#include "load/target.hpp"
#include "runtime/loop.hpp"
#include "runtime/timer_wheel.hpp"

namespace carillon::bench {

// While a crowd grows: handshakes under way at once, and how long it is waited for.
inline constexpr std::uint32_t kHandshakesAtOnce = 64;
inline constexpr std::chrono::minutes kConnectPatience{3};

struct CrowdOptions {
  std::uint32_t users = 1;       // client c is of user c % users
  std::uint32_t first_user = 0;  // whose name user 0 has
  std::optional<std::string> scope{};
  // So many first clients have a narrow link, and resume when the server closed them for stalling.
  std::uint32_t narrow = 0;
};

// All clients of a run, on one thread of their own. Its calls are for one other thread.
class Crowd final : StreamClient::Owner {
 public:
  // `target` outlives the crowd.
  Crowd(const Target& target, CrowdOptions options);
  ~Crowd();
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

  struct Growth {
    std::uint32_t connected = 0;  // that many more are live
    std::uint32_t resumed = 0;    // of these with a ticket
    std::chrono::nanoseconds took{0};
    Histogram handshakes;  // from connect() to auth_ok
  };
  // Connects clients until there are `count`, `at_once` at a time; gives up after `patience`. Those that left come
  // first, as new ones but for the TLS ticket that they got.
  [[nodiscard]] Growth grow_to(std::uint32_t count, std::uint32_t at_once, milliseconds patience);

  // From now on notifications go to this audit, which covers all clients that there are; null: any is a fault.
  void attend(DeliveryAudit* audit);

  // What come_back() resumes from: where every client stands now.
  void remember_positions();
  // Every client goes, without a word.
  void leave();
  struct Return {
    MonoTime first_connected;  // the first TLS connection
    MonoTime first_accepted;   // the first auth_ok
    MonoTime last_live;        // the last `live`
    std::uint32_t live = 0;
  };
  // All connect at once and resume from the positions remembered; who is refused tries again within 100 ms. Returns
  // when all are live, or after `patience`.
  [[nodiscard]] Return come_back(milliseconds patience);

  // The clients with narrow links stop reading, also those that come back, and go on.
  void stall();
  void go_on();
  // How often one of them was closed: with 4420, with 4411 for its silence, or, when not even that got through, without
  // a word.
  [[nodiscard]] std::uint64_t times_closed_for_stalling();

  // The pings that came so far, and those of the client that got the fewest.
  struct Heartbeats {
    std::uint64_t all = 0;
    std::uint32_t fewest = 0;
  };
  [[nodiscard]] Heartbeats heartbeats();

  // Refusals, broken connections, wrong counts in pings: everything the audit does not see, since the last call.
  [[nodiscard]] Faults take_faults();

  [[nodiscard]] Audience audience() const {
    return {.clients = size_, .users = options_.users, .untimed = options_.narrow};
  }
  [[nodiscard]] std::uint32_t size() const { return size_; }

 private:
  struct Growing {
    std::uint32_t count;
    std::uint32_t at_once;
    std::promise<void> done;
    bool is_done = false;
    Growth growth;
  };
  struct Returning {
    std::promise<void> done;
    bool is_done = false;
    Return result;
  };
  struct Client final : runtime::TimerHandler {
    explicit Client(Crowd& its_crowd) : crowd(its_crowd) {}
    void on_timer() override { crowd.open(*this); }

    Crowd& crowd;
    std::uint32_t number = 0;
    std::unique_ptr<StreamClient> stream;
    std::string remembered;  // position
    MonoTime begun;
    std::uint32_t heartbeats = 0;
    runtime::Timer retry{*this};
    bool is_shaking_hands = false;
    bool is_returning = false;
  };

  void on_connected(std::uint32_t client) override;
  void on_accepted(std::uint32_t client, std::optional<std::string_view> gap) override;
  void on_notification(std::uint32_t client, std::string_view text) override;
  void on_live(std::uint32_t client, std::uint64_t replayed) override;
  void on_heartbeat(std::uint32_t client, const StreamClient::Heartbeat& heartbeat) override;
  void on_fault(std::uint32_t client, std::string_view what) override;
  void on_end(std::uint32_t client, const StreamClient::Ending& ending) override;

  void connect_more();
  void connect(std::uint32_t number);
  void open(Client& client);
  void open_again(Client& client);
  void end_handshake(Client& client);

  const Target& target_;
  const CrowdOptions options_;
  SystemClock clock_;
  std::vector<std::string> tokens_;  // by user
  std::uint32_t size_ = 0;
  runtime::LoopThread thread_;

  // Of the thread.
  ConnectionRoom room_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::mt19937 random_;
  std::uint32_t begun_ = 0;  // so many first clients have begun to connect since all left
  std::uint32_t shaking_hands_ = 0;
  std::uint64_t closed_for_stalling_ = 0;
  bool stalls_ = false;
  std::optional<Growing> growing_;
  std::optional<Returning> returning_;
  DeliveryAudit* audit_ = nullptr;
  Faults faults_;
};

}  // namespace carillon::bench
