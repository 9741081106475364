#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "event/principal.hpp"
#include "hub/hub.hpp"
#include "protocol/server_message.hpp"
#include "simulation/breakage.hpp"
#include "simulation/node.hpp"
#include "simulation/scenario.hpp"
#include "simulation/simulated_log.hpp"
#include "simulation/socket.hpp"

namespace carillon::simulation {

// What a client names when it connects (protocol 6).
struct Asked {
  std::optional<std::string> resume;
  bool wants_snapshot = true;
};

// The server's end of a connection: uses the hub as websocket::Session does, without TLS, timers and input.
class Session final : public hub::Subscriber {
 public:
  // What it lives with; all of it outlives the session.
  struct Surroundings {
    const Node& node;
    Shard& shard;
    const Scenario& scenario;
    Breakage& breakage;
    const SimulatedLog& log;
    const Clock& clock;
    Socket& socket;
  };
  Session(const Surroundings& surroundings, std::size_t user, Grants grants);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // `old_bytes` are an earlier connection's, where that is broken.
  void begin(const Asked& asked, std::string_view old_bytes);
  // A token with other grants (protocol 2.6).
  void refresh(Grants grants);
  // Its turn: writes what comes next, as far as the socket takes it.
  void pump();
  // The socket took bytes that had waited.
  void on_room();
  // What time brings: a heartbeat, the end of patience.
  void on_timer();
  void beat() { beat_due_ = true; }

  [[nodiscard]] bool is_open() const { return is_open_; }
  [[nodiscard]] bool wants_turn() const { return wants_turn_; }
  // It gave up on its client for what was not so.
  [[nodiscard]] bool was_impatient() const { return was_impatient_; }
  // It had not read, or its client not taken, all that there was.
  [[nodiscard]] bool is_behind() const { return is_behind_; }

 private:
  void on_publications(std::uint64_t bytes) override;
  void send_auth_ok(std::optional<protocol::Resumption> resume);
  [[nodiscard]] hub::Beginning beginning(const Asked& asked);
  hub::Reading read_notifications(std::string& out);
  [[nodiscard]] std::string live_frame(const hub::Reading& reading);
  [[nodiscard]] std::string beat_frame();
  void check_queue();
  void close(std::uint16_t code);
  void watch();

  // What is done wrong on purpose.
  void break_resume(std::string_view text, std::expected<Place, GapReason>& place);
  void break_frames(std::string& bytes);
  void break_snapshot(std::vector<std::string>& frames);
  void break_ahead(Place& place);
  [[nodiscard]] Position another(const Position& position, int direction) const;
  [[nodiscard]] std::string with_own_id(const std::string& frame) const;
  [[nodiscard]] std::optional<std::string> snapshot_frame(bool (*is_it)(const Entry&, std::size_t user, WallTime now));

  const Surroundings world_;
  const std::size_t user_;
  std::string control_;  // goes out before any notification that waits
  std::uint64_t delivered_ = 0;
  std::uint64_t waiting_bytes_ = 0;
  MonoTime next_beat_;
  MonoTime caught_up_at_{};
  MonoTime blocked_since_ = MonoTime::max();
  bool is_open_ = false;
  bool wants_turn_ = false;
  bool beat_due_ = false;
  bool was_impatient_ = false;
  bool is_behind_ = true;  // until the first reading to the end
  bool has_snapshot_ = false;
  std::optional<Position> stuck_at_;
};

}  // namespace carillon::simulation
