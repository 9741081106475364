#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.hpp"
#include "event/event.hpp"
#include "eventlog/event_log.hpp"
#include "notification/fan_out.hpp"
#include "protocol/envelope.hpp"
#include "runtime/credit.hpp"
#include "runtime/loop.hpp"
#include "telemetry/metrics.hpp"

namespace carillon::notification {

// The one owner of the order of things: takes the log's records, checks each, encodes it once, and publishes it to all
// shards. A record that is no valid event goes to the dead letters and never stops the flow (product.md).
// accept() runs on the log's thread; everything else on the thread of `loop`, which is this service's own.
class NotificationService final : public eventlog::RecordSink {
 public:
  // All references outlive the service. `log` follows into this service once started.
  NotificationService(runtime::Loop& loop, eventlog::EventLog& log, FanOut& fan_out, const Clock& clock,
                      telemetry::Registry& metrics);

  [[nodiscard]] bool accept(std::vector<eventlog::StoredRecord>& batch) override;

 private:
  static constexpr std::uint64_t kPendingBytesMax = 32 * 1024 * 1024;  // accepted and not yet published

  void publish(const std::vector<eventlog::StoredRecord>& batch);
  [[nodiscard]] PublicationPtr make_publication(Event event, const eventlog::StoredRecord& record);
  void bury(const eventlog::StoredRecord& record, const protocol::EnvelopeFault& fault);

  runtime::Loop& loop_;
  eventlog::EventLog& log_;
  FanOut& fan_out_;
  const Clock& clock_;
  telemetry::Registry& metrics_;
  runtime::Credit pending_{kPendingBytesMax};
  std::atomic<bool> refused_{false};  // the log was told that we are full and waits to hear that we are not
  std::uint64_t next_sequence_ = 1;

  std::array<telemetry::Counter*, kEventKinds> published_{};
  std::array<telemetry::Counter*, kEventKinds> late_{};
  std::unordered_map<std::string, telemetry::Counter*> buried_;  // by reason
};

}  // namespace carillon::notification
