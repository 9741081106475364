#pragma once

#include "eventlog/append_outcomes.hpp"
#include "telemetry/metrics.hpp"

namespace carillon::eventlog {

inline constexpr AppendOutcomes::Names kJournalAppends{.appends = "carillon_journal_appends_total",
                                                       .records = "carillon_journal_records_total"};

// What the journal's thread tells of itself.
struct JournalMetrics {
  explicit JournalMetrics(telemetry::Registry& registry);

  AppendOutcomes appends;
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
