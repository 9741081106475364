#include "eventlog/journal_metrics.hpp"

namespace carillon::eventlog {

JournalMetrics::JournalMetrics(telemetry::Registry& registry)
    : appends(registry, kJournalAppends, {{"where", "journal"}}),
      commit_seconds(registry.histogram("carillon_journal_commit_seconds", "From the begin of a group to its commit.")),
      records_trimmed(registry.counter("carillon_journal_trimmed_records_total", "Records deleted by retention.")),
      kept_lost(
          registry.counter("carillon_journal_kept_lost_total", "Kept steps of orders deleted over their bounds.")),
      dead_letters(registry.counter("carillon_journal_dead_letters_total", "Dead letters put.")),
      dead_letters_lost(registry.counter("carillon_journal_dead_letters_lost_total", "Dead letters with no room.")),
      queue_calls(registry.gauge("carillon_journal_queue_calls", "Append calls found waiting for the last group.")),
      low_sequence(registry.gauge("carillon_journal_low_sequence", "Oldest record that is kept.")),
      last_sequence(registry.gauge("carillon_journal_last_sequence", "Newest record.")),
      followed_sequence(registry.gauge("carillon_journal_followed_sequence", "Newest record the sink has accepted.")),
      kept_records(
          registry.gauge("carillon_journal_kept_records", "Trimmed records kept because an order is at them.")),
      stored_bytes(registry.gauge("carillon_journal_stored_bytes", "Bytes of the records that are kept.")),
      writable(registry.gauge("carillon_journal_writable", "1 when appends can succeed, as far as is known.")) {}

}  // namespace carillon::eventlog
