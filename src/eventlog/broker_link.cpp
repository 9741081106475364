#include "eventlog/broker_link.hpp"

#include <chrono>
#include <utility>

#include "telemetry/log.hpp"

namespace carillon::eventlog {

using telemetry::Level;

BrokerLink::BrokerLink(std::string name, const Clock& clock, telemetry::Registry& metrics)
    : name_(std::move(name)),
      clock_(clock),
      connected_(metrics.gauge("carillon_log_connected", "1 while the broker that holds the log can be reached.")),
      outages_(metrics.counter("carillon_log_outages_total", "Times the broker was lost.")) {}

void BrokerLink::up(End end) {
  const std::lock_guard lock(mutex_);
  ends_.at(static_cast<std::size_t>(end)) = true;
  if (!ends_[0] || !ends_[1] || is_up_) return;
  is_up_ = true;
  connected_.set(1);
  if (!std::exchange(is_told_, false)) return;
  const auto lost_for = std::chrono::duration_cast<milliseconds>(clock_.mono_now() - lost_at_);
  telemetry::log(Level::info, "event log is back", {{"log", name_}, {"lost_for_ms", lost_for.count()}});
}

void BrokerLink::down(End end, const Error& error) {
  const std::lock_guard lock(mutex_);
  ends_.at(static_cast<std::size_t>(end)) = false;
  if (end == End::reader) {
    ends_.at(static_cast<std::size_t>(End::writer)) = false;
    ++losses_;
  }
  is_up_ = false;
  connected_.set(0);
  if (std::exchange(is_told_, true)) return;
  lost_at_ = clock_.mono_now();
  outages_.add();
  telemetry::log(Level::error, "event log cannot be reached", {{"log", name_}, {"reason", error.message}});
}

bool BrokerLink::wait(milliseconds time) {
  std::unique_lock lock(mutex_);
  return !stopped_.wait_for(lock, time, [this] { return stopping_.load(); });
}

void BrokerLink::stop() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  stopped_.notify_all();
}

}  // namespace carillon::eventlog
