#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>

#include "base/backoff.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "telemetry/metrics.hpp"

namespace carillon::eventlog {

// Between two tries to reach a broker.
inline constexpr Backoff::Options kBrokerBackoff{
    .first = milliseconds{100}, .most = milliseconds{5000}, .at_least_half = true};

// How the two connections to a broker stand. An outage is told once when it begins and once when it is over, whichever
// of them noticed. Any thread.
class BrokerLink {
 public:
  enum class End : std::uint8_t { reader, writer };

  // `name` is of the broker and its log, for people.
  BrokerLink(std::string name, const Clock& clock, telemetry::Registry& metrics);

  void up(End end);
  // The writer's connection is idle most of the time, so that what the reader notices counts for both.
  void down(End end, const Error& error);
  // How often the reader has noticed: a connection of the writer from before that is to be made anew.
  [[nodiscard]] std::uint64_t losses() const { return losses_.load(); }
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
  std::atomic<std::uint64_t> losses_{0};
  std::atomic<bool> stopping_{false};
  telemetry::Gauge& connected_;
  telemetry::Counter& outages_;
};

}  // namespace carillon::eventlog
