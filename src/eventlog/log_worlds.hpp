#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/clock.hpp"
#include "eventlog/memory_log.hpp"
#include "eventlog/sqlite_journal.hpp"
#include "eventlog/temp_folder.hpp"
#include "telemetry/metrics.hpp"

// For tests: the logs that need no broker, as worlds of EventLogSuite, with a clock that is moved while the log is not
// started, and retention of 24 hours.
namespace carillon::eventlog {

class MemoryWorld {
 public:
  static void prepare() {}
  EventLog& log() { return log_; }
  void reopen() { log_.stop(); }
  // What is due for retention has gone when the log is reopened and started.
  void retain(const std::vector<StoredRecord>& records) {
    for (const StoredRecord& record : records) {
      if (!record.is_kept && record.logged_at < clock.wall_now() - std::chrono::hours{24}) {
        log_.trim_before(record.ordinal + 1);
      }
    }
  }

  ManualClock clock;  // moved only while the log is not started

 private:
  inline static std::uint32_t epoch_ = 0;
  MemoryLog log_{clock, {.epoch = ++epoch_}};
};

class JournalWorld {
 public:
  static void prepare() {}
  EventLog& log() { return *log_; }
  void reopen() {
    log_.reset();
    log_ = make();
  }
  void retain(const std::vector<StoredRecord>& /*records*/) {}  // it does so by itself, before it stops

  ManualClock clock;

 private:
  std::unique_ptr<SqliteJournal> make() {
    return std::make_unique<SqliteJournal>(
        SqliteJournal::Options{.path = folder_.file("journal.db"), .upkeep_interval = milliseconds{0}}, clock,
        registry_);
  }

  telemetry::Registry registry_;
  TempFolder folder_;
  std::unique_ptr<SqliteJournal> log_ = make();
};

}  // namespace carillon::eventlog
