#include "eventlog/journal_metrics.hpp"

namespace carillon::eventlog {
namespace {

telemetry::Counter& outcome(telemetry::Registry& registry, const char* where, const char* word) {
  return registry.counter("carillon_journal_appends_total",
                          "Append calls by how and where they were answered: by the journal, or at once by its queue.",
                          {{"outcome", word}, {"where", where}});
}

telemetry::Counter& records(telemetry::Registry& registry, const char* result) {
  return registry.counter("carillon_journal_records_total", "Records of the append calls that succeeded.",
                          {{"result", result}});
}

}  // namespace

AppendOutcomes::AppendOutcomes(telemetry::Registry& registry, const char* where)
    : ok_(outcome(registry, where, "ok")),
      conflict_(outcome(registry, where, "conflict")),
      full_(outcome(registry, where, "full")),
      invalid_(outcome(registry, where, "invalid")),
      unavailable_(outcome(registry, where, "unavailable")) {}

void AppendOutcomes::count(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::conflict:
      return conflict_.add();
    case ErrorKind::full:
      return full_.add();
    case ErrorKind::invalid:
      return invalid_.add();
    default:
      return unavailable_.add();
  }
}

JournalMetrics::JournalMetrics(telemetry::Registry& registry)
    : appends(registry, "journal"),
      records_accepted(records(registry, "accepted")),
      records_duplicate(records(registry, "duplicate")),
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
