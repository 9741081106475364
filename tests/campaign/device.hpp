#pragma once

#include <cstdint>
#include <random>
#include <string>

#include "campaign/campaign_audit.hpp"
#include "load/faults.hpp"
#include "load/stream_client.hpp"
#include "load/target.hpp"
#include "runtime/loop.hpp"
#include "runtime/timer_wheel.hpp"

namespace carillon::campaign {

// One client of the campaign. Comes back whenever its connection ends, and resumes where it was. By its nature it is
// steady, cuts itself off now and then, or leaves what comes unread for some seconds. On its loop's thread.
class Device final : bench::StreamClient::Owner, runtime::TimerHandler {
 public:
  enum class Nature : std::uint8_t { steady, restless, slow };

  struct Figures {
    std::uint64_t connections = 0;     // that were let in
    std::uint64_t replayed = 0;        // events
    std::uint64_t replays = 0;         // that brought any and were complete
    std::uint64_t replays_broken = 0;  // ended before `live`
    std::uint64_t cuts = 0;            // by the client
    std::uint64_t pauses = 0;          // of reading
    std::uint64_t too_slow = 0;        // closed by the server: 4420, or 4411 for a ping that lay unread
    std::uint64_t put_off = 0;         // closed by a node that could not tell yet what follows: 1013
  };

  // All references outlive the device.
  Device(std::uint32_t number, std::string user, Nature nature, std::uint64_t seed, runtime::Loop& loop,
         bench::ConnectionRoom& room, const bench::Target& target, CampaignAudit& audit, bench::Faults& faults);

  void start() { connect(); }
  // From now on it is steady.
  void calm_down();
  // Comes back without its position, and has its snapshot audited.
  void begin_anew();
  [[nodiscard]] bool is_live() const { return live_; }
  [[nodiscard]] const Figures& figures() const { return figures_; }

 private:
  void on_connected(std::uint32_t) override {}
  void on_accepted(std::uint32_t client, std::optional<std::string_view> gap) override;
  void on_notification(std::uint32_t client, std::string_view text) override;
  void on_live(std::uint32_t client, std::uint64_t replayed) override;
  void on_heartbeat(std::uint32_t client, const bench::StreamClient::Heartbeat& heartbeat) override;
  void on_fault(std::uint32_t client, std::string_view what) override;
  void on_end(std::uint32_t client, const bench::StreamClient::Ending& ending) override;
  void on_timer() override;

  void connect();
  void come_back(milliseconds wait);
  void wait_for_next_mood();
  [[nodiscard]] milliseconds some_time(std::uint32_t least_ms, std::uint32_t most_ms);

  std::uint32_t number_;
  std::string user_;
  Nature nature_;
  std::mt19937_64 random_;
  runtime::Loop& loop_;
  const bench::Target& target_;
  CampaignAudit& audit_;
  bench::Faults& faults_;
  bench::StreamClient stream_;
  runtime::Timer timer_{*this};
  bool accepted_ = false;  // on this connection
  bool live_ = false;
  bool paused_ = false;
  bool begins_anew_ = false;  // until the snapshot is here
  Figures figures_;
};

}  // namespace carillon::campaign
