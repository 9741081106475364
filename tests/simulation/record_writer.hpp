#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "simulation/random.hpp"
#include "simulation/scenario.hpp"
#include "simulation/simulated_log.hpp"
#include "simulation/truth.hpp"

namespace carillon::simulation {

// The producers: events of all kinds, good ones and what goes wrong with them. Orders come again too late, out of
// order, word for word, in another's name; foreign producers repeat themselves, give an id twice, and write nonsense.
class RecordWriter {
 public:
  RecordWriter(const Scenario& scenario, SimulatedLog& log, Random& random)
      : scenario_(scenario), log_(log), random_(random) {}

  // Appends one record.
  void write(WallTime now);

 private:
  [[nodiscard]] Meaning signal();
  [[nodiscard]] Meaning alert();
  [[nodiscard]] Meaning update();
  [[nodiscard]] Meaning first_update();
  [[nodiscard]] Meaning next_update(std::size_t order);
  void put_order_payload(Meaning& meaning);
  [[nodiscard]] std::uint32_t audience();
  [[nodiscard]] std::string quantity(std::int64_t thousandths);
  [[nodiscard]] std::string filler();
  [[nodiscard]] std::string envelope(const Meaning& meaning);
  [[nodiscard]] std::string nonsense();
  [[nodiscard]] bool append_again(WallTime now);

  const Scenario& scenario_;
  SimulatedLog& log_;
  Random& random_;
  std::size_t ids_ = 0, orders_ = 0, words_ = 0;
};

}  // namespace carillon::simulation
