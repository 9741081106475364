#pragma once

#include "base/result.hpp"
#include "telemetry/metrics.hpp"

namespace carillon::eventlog {

// Append calls by how they were answered. Written by one thread at a time.
class AppendOutcomes {
 public:
  // `where` tells apart the cells of one thread from those of another: "journal" or "queue".
  AppendOutcomes(telemetry::Registry& registry, const char* where);
  void count_ok() { ok_.add(); }
  void count(ErrorKind kind);

 private:
  telemetry::Counter &ok_, &conflict_, &full_, &invalid_, &unavailable_;
};

// What the journal's thread tells of itself.
struct JournalMetrics {
  explicit JournalMetrics(telemetry::Registry& registry);

  AppendOutcomes appends;
  telemetry::Counter& records_accepted;
  telemetry::Counter& records_duplicate;
  telemetry::Histogram& commit_seconds;
  telemetry::Counter& records_trimmed;
  telemetry::Counter& kept_lost;
  telemetry::Counter& dead_letters;
  telemetry::Counter& dead_letters_lost;
  telemetry::Gauge& queue_calls;
  telemetry::Gauge& low_sequence;
  telemetry::Gauge& last_sequence;
  telemetry::Gauge& followed_sequence;
  telemetry::Gauge& kept_records;
  telemetry::Gauge& stored_bytes;
  telemetry::Gauge& writable;
};

}  // namespace carillon::eventlog
