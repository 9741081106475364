#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <random>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "telemetry/metrics.hpp"

namespace carillon::eventlog {

// How the two connections to a broker stand. An outage is told once when it begins and once when it is over, whichever
// of them noticed. Any thread.
class BrokerLink {
 public:
  enum class End : std::uint8_t { reader, writer };

  // `name` is of the broker and its log, for people.
  BrokerLink(std::string name, const Clock& clock, telemetry::Registry& metrics);

  void up(End end);
  void down(End end, const Error& error);
  [[nodiscard]] bool is_up() const { return is_up_.load(); }

  // Waits, or until stop(); true: go on.
  bool wait(milliseconds time);
  void stop();
  [[nodiscard]] bool is_stopping() const { return stopping_.load(); }

 private:
  const std::string name_;
  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable stopped_;
  std::array<bool, 2> ends_{};
  bool is_told_ = false;  // that it is lost
  MonoTime lost_at_;
  std::atomic<bool> is_up_{false};
  std::atomic<bool> stopping_{false};
  telemetry::Gauge& connected_;
  telemetry::Counter& outages_;
};

// How long to wait before the next try: doubles, and no two nodes wait alike.
class BrokerBackoff {
 public:
  BrokerBackoff(milliseconds least, milliseconds most) : least_(least), most_(most), bound_(least) {}
  [[nodiscard]] milliseconds next();
  void reset() { bound_ = least_; }

 private:
  const milliseconds least_, most_;
  milliseconds bound_;
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace carillon::eventlog
