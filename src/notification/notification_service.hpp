#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "event/event.hpp"
#include "eventlog/event_log.hpp"
#include "notification/fan_out.hpp"
#include "notification/record_processor.hpp"
#include "runtime/credit.hpp"
#include "runtime/loop.hpp"
#include "telemetry/metrics.hpp"

namespace carillon::notification {

// The one owner of the order of things: takes the log's records, processes each, publishes to all shards what is to be
// published, and tells the log what became of them. A record that is no valid event goes to the dead letters and never
// stops the flow (product.md). What the rules withhold is counted.
// accept() runs on the log's thread; everything else on the thread of `loop`, which is this service's own.
class NotificationService final : public eventlog::RecordSink {
 public:
  // All references outlive the service. `log` follows into this service once started; FanOut::set_origin() comes before
  // the task of `loop` that follows.
  NotificationService(runtime::Loop& loop, eventlog::EventLog& log, FanOut& fan_out, const Clock& clock,
                      telemetry::Registry& metrics, const RecordProcessor::Options& options = {});

  [[nodiscard]] bool accept(std::vector<eventlog::StoredRecord>& batch) override;

 private:
  static constexpr std::uint64_t kPendingBytesMax = 32 * 1024 * 1024;  // accepted and not yet published

  struct EventCells {
    telemetry::Counter* published;
    telemetry::Counter* late;
    telemetry::Histogram* accept_time;
    telemetry::Counter* accept_beyond_limit;
  };
  // A counter for each reason, made when the first of it is counted.
  class ReasonCells {
   public:
    ReasonCells(telemetry::Registry& metrics, std::string_view name, std::string_view help)
        : metrics_(metrics), name_(name), help_(help) {}
    void count(std::string_view reason);

   private:
    telemetry::Registry& metrics_;
    std::string_view name_, help_;
    std::map<std::string, telemetry::Counter*, std::less<>> cells_;
  };

  void process(const std::vector<eventlog::StoredRecord>& batch, bool is_history);
  void count(const Outcome& outcome, const eventlog::StoredRecord& record, bool is_history);
  void note_withheld(const eventlog::StoredRecord& record, std::string_view reason);
  void bury(const eventlog::StoredRecord& record, const protocol::EnvelopeFault& fault, const Moment& moment);

  runtime::Loop& loop_;
  eventlog::EventLog& log_;
  FanOut& fan_out_;
  const Clock& clock_;
  RecordProcessor processor_;
  runtime::Credit pending_{kPendingBytesMax};
  std::atomic<bool> refused_{false};  // the log was told that we are full and waits to hear that we are not

  std::array<EventCells, kEventKinds> events_{};
  ReasonCells withheld_, buried_;
  telemetry::Counter& orders_forgotten_;
  telemetry::Counter& ids_forgotten_;
};

}  // namespace carillon::notification
