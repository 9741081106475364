#pragma once

#include <array>

#include "base/clock.hpp"
#include "event/event.hpp"
#include "telemetry/metrics.hpp"

namespace carillon::websocket {

// How long deliveries take, per event type, and how many took longer than the limits of the product (2 s, 2 s, 5 s).
// Snapshots and replays do not count. One thread's.
class LatencyMeter {
 public:
  explicit LatencyMeter(telemetry::Registry& metrics);

  // From the moment the log had it to the write to a client's socket.
  void written(EventKind kind, std::chrono::nanoseconds took) {
    written_.at(static_cast<std::size_t>(kind)).count(took);
  }
  // From that write to the client's receipt (protocol 6.5).
  void received(EventKind kind, std::chrono::nanoseconds took) {
    received_.at(static_cast<std::size_t>(kind)).count(took);
  }

 private:
  struct Cell {
    void count(std::chrono::nanoseconds took) {
      seconds->observe(std::chrono::duration<double>(took).count());
      if (took > limit) beyond->add();
    }
    telemetry::Histogram* seconds = nullptr;
    telemetry::Counter* beyond = nullptr;
    milliseconds limit{};
  };
  std::array<Cell, kEventKinds> written_;
  std::array<Cell, kEventKinds> received_;
};

}  // namespace carillon::websocket
