#include "simulation/scenario.hpp"

namespace carillon::simulation {

using std::chrono::minutes;
using std::chrono::seconds;

Scenario Scenario::draw(Random& random) {
  Scenario s;
  s.nodes = 1 + random.below(3);
  s.shards = 1 + random.below(2);
  s.users = 2 + random.below(3);
  s.clients = 2 + random.below(7);
  s.steps = 150 + random.below(450);
  s.is_broker = random.percent(50);
  s.changes_epoch = random.percent(20);
  s.retention = random.pick<milliseconds>({minutes{30}, minutes{90}, minutes{200}});
  s.terminal_memory = random.pick<milliseconds>({minutes{10}, s.retention});
  s.id_memory = random.pick<milliseconds>({minutes{5}, s.retention});
  s.lanes = random.percent(50) ? 1 : 2 + random.below(3);
  // What was there long before is forgotten by the log's time, which is another at each node where lanes are read
  // unevenly.
  if (s.lanes > 1) s.terminal_memory = s.id_memory = std::chrono::hours{1'000};
  s.window.age = random.pick<milliseconds>({seconds{60}, minutes{30}, minutes{60}});
  s.window.bytes = random.pick<std::uint64_t>({6'000, 60'000, 10'000'000, 10'000'000});
  s.read_bytes = random.pick<std::size_t>({1, 700, 4'000, 65'536});
  s.socket_room = random.pick<std::size_t>({300, 2'000, 10'000});
  // More than one write leaves behind, or no client would ever catch up.
  s.queue_bytes_max = s.read_bytes + random.pick<std::size_t>({3'000, 20'000, 1'000'000});
  return s;
}

}  // namespace carillon::simulation
