#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/clock.hpp"
#include "hub/recent_window.hpp"
#include "simulation/random.hpp"

namespace carillon::simulation {

// Names that a careless comparison takes for each other.
inline constexpr std::array<std::string_view, 4> kUsers = {"ann", "Ann", "ann2", "bob"};

// What one seed decides at the outset.
struct Scenario {
  std::size_t nodes = 1;
  std::size_t shards = 1;  // of each node
  std::size_t users = 2;
  std::size_t clients = 2;
  std::size_t steps = 200;

  std::size_t lanes = 1;   // of the log; each node reads several in an order of its own
  bool is_broker = false;  // foreign producers: an id may come again, and the node filters
  bool changes_epoch = false;
  milliseconds retention{};        // of the log
  milliseconds terminal_memory{};  // of the order rules
  milliseconds id_memory{};        // of the duplicate filter
  hub::WindowLimits window;

  std::size_t read_bytes = 0;   // what a session reads at once
  std::size_t socket_room = 0;  // what a client's kernel takes before it reads
  std::size_t queue_bytes_max = 0;
  milliseconds queue_age_max{10'000};
  milliseconds heartbeat_interval{20'000};

  static Scenario draw(Random& random);
};

}  // namespace carillon::simulation
