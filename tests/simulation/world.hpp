#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "simulation/audit.hpp"
#include "simulation/breakage.hpp"
#include "simulation/coverage.hpp"
#include "simulation/node.hpp"
#include "simulation/random.hpp"
#include "simulation/record_writer.hpp"
#include "simulation/scenario.hpp"
#include "simulation/session.hpp"
#include "simulation/simulated_log.hpp"
#include "simulation/socket.hpp"

namespace carillon::simulation {

// One run: producers, a log, the nodes that follow it, and clients that come and go; what happens next is drawn from
// the seed, and so is how long it takes. Ends with all at rest, when everybody must have everything.
class World {
 public:
  struct Options {
    Broken broken = Broken::nothing;
    bool traces = false;  // tells on standard output what happens
  };
  // `coverage` outlives the world and is added to.
  World(std::uint64_t seed, Options options, Coverage& coverage);

  // The first fault that was found; nothing when there was none.
  [[nodiscard]] std::optional<std::string> run();
  // Where it is, for the message of a fault that ends the process.
  [[nodiscard]] std::size_t step() const { return step_; }

 private:
  // Everything that two ends know of one connection.
  struct Connection {
    Connection(Node& n, Shard& s, std::size_t room) : node(n), shard(s), socket(room) {}
    Node& node;
    Shard& shard;
    Socket socket;
    std::unique_ptr<Session> session;
    std::unique_ptr<Audit> audit;
    std::string input;  // of a frame that is not all there
  };
  // One device of a user.
  struct Client {
    std::size_t user = 0;
    Grants grants;
    bool takes = true;     // what is sent to it
    std::string position;  // the last that it has handled; empty: none
    std::string left;      // what an earlier connection still had
    std::unique_ptr<Connection> connection;
  };

  // One of those that follow.
  void act();
  void write_some();
  void follow_some();
  void turn_some();
  void read_some();
  void let_one_in();
  void change_pace();
  void cut_one() { cut(any_client()); }
  void refresh_one() { refresh(any_client()); }
  void pass_a_moment() { pass(milliseconds{random_.between(1, 100)}); }
  void pass_seconds() { pass(milliseconds{random_.between(1'000, 15'000)}); }
  void pass_minutes() { pass(std::chrono::minutes{random_.between(1, 40)}); }
  void trim();
  void crash_one();
  void start_one();
  void recreate();

  void write();
  void pass(milliseconds time);
  void start(std::size_t node);
  void crash(std::size_t node);
  void follow(std::size_t node, std::size_t records_max);
  void turn(Shard& shard, bool is_hurried);
  void act_within_turn(Shard& shard);

  void connect(Client& client, bool is_plain);
  [[nodiscard]] Asked draw_asked(const Client& client);
  [[nodiscard]] std::string draw_place();
  [[nodiscard]] std::string draw_odd_position();
  [[nodiscard]] Lanes published_up_to(const Shard& shard) const;
  void read(Client& client, std::size_t bytes_max);
  void cut(Client& client);
  void refresh(Client& client);

  void come_to_rest();
  [[nodiscard]] bool is_at_rest() const;
  void settle_down();

  [[nodiscard]] std::vector<std::size_t> nodes_that(bool are_up) const;
  [[nodiscard]] Client& any_client() { return clients_[random_.below(clients_.size())]; }
  [[nodiscard]] std::string name(const Client& client) const;
  void fail(const std::string& what);
  void trace(std::string_view what) const;

  Coverage& coverage_;
  Random random_;
  const Scenario scenario_;
  Breakage breakage_;
  const bool traces_;
  ManualClock clock_;
  SimulatedLog log_;
  RecordWriter writer_;
  std::vector<std::unique_ptr<Node>> nodes_;  // null: it is down
  std::vector<Client> clients_;
  std::size_t step_ = 0;
  std::optional<std::string> failure_;
};

}  // namespace carillon::simulation
