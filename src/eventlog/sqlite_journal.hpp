#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "base/clock.hpp"
#include "eventlog/append_outcomes.hpp"
#include "eventlog/event_log.hpp"
#include "eventlog/follower.hpp"
#include "eventlog/group_commit.hpp"
#include "eventlog/journal.hpp"
#include "eventlog/journal_metrics.hpp"
#include "eventlog/log_positions.hpp"
#include "eventlog/log_queue.hpp"
#include "telemetry/metrics.hpp"

namespace carillon::eventlog {

// The embedded log: one SQLite file, for one node (architecture: the embedded journal).
//
// One thread owns the file. All appends that wait while it commits become the next transaction, so one sync serves
// many callers. A record is offered to the sink after the commit that made it durable. Retention deletes old records
// in small steps between the commits, but none that the sink has not settled, and keeps the last steps of orders.
//
// On a full disk appends fail with `full` until there is space again, and following goes on. After any other failure
// to write or read the outcome of the last commit is not known: every call fails with `unavailable`, nothing is
// committed any more, and Options::on_fatal tells the process to end.
class SqliteJournal final : public EventLog {
 public:
  struct Options {
    std::string path{};
    JournalLimits limits{};
    LogQueue::Limits queue{};
    // How often retention by age and, on a full disk, a try for space are due.
    milliseconds upkeep_interval{1000};
    // Called at most once, on the journal's thread, after the calls under way were failed. Must not call stop().
    std::move_only_function<void(const Error&)> on_fatal{};
  };

  // `clock` is read on the journal's thread; both must outlive the journal.
  SqliteJournal(Options options, const Clock& clock, telemetry::Registry& registry);
  ~SqliteJournal() override;
  SqliteJournal(const SqliteJournal&) = delete;
  SqliteJournal& operator=(const SqliteJournal&) = delete;

  // Reads the whole file to check it, on the caller's thread. Does not overlap stop().
  [[nodiscard]] Result<> start(RecordSink& sink) override;
  [[nodiscard]] Origin origin() const override { return origin_; }
  [[nodiscard]] std::expected<Place, GapReason> locate(std::string_view position) const override;
  // Answers at once.
  void has_reached(Place place, ReachedDone done) override;
  // Commits what waits.
  void stop() override;
  void append(std::vector<Record> records, AppendDone done) override;
  void sink_has_room() override;
  void settle(Settled settled) override { queue_.push(std::move(settled)); }
  void put_dead_letter(DeadLetter letter) override;
  void list_dead_letters(std::size_t limit, DeadLettersDone done) override;
  void remove_dead_letter(Position position, Done done) override;
  [[nodiscard]] bool is_writable() const override { return writable_.load(); }
  [[nodiscard]] bool has_caught_up() const override { return is_started_ && follower_->has_caught_up(); }

 private:
  void run();
  void commit(LogQueue::Taken taken);
  void follow();
  void keep_up();
  void trim();
  void tell_lost(std::uint64_t kept_steps);
  // A full disk is waited out; any other error is the end.
  void suffer(const Error& error);
  void set_writable(bool writable);
  void report();
  void refuse(AppendDone done, const Error& error);

  Options options_;
  const Clock& clock_;
  JournalMetrics metrics_;
  LogQueue queue_;

  // What callers' threads count.
  std::mutex refusals_mutex_;
  AppendOutcomes refusals_;
  telemetry::Counter& dead_letters_refused_;

  std::atomic<bool> writable_{false};
  std::atomic<std::uint64_t> last_committed_{0};

  // Made by start(), for any thread that finds is_started_.
  std::optional<Follower> follower_;
  std::optional<LogPositions> positions_;
  Origin origin_;
  std::atomic<bool> is_started_{false};

  std::thread thread_;

  // Of the journal's thread, once it runs.
  std::unique_ptr<Journal> journal_;
  std::optional<GroupCommit> group_;
  std::optional<Error> failure_;  // for good
  MonoTime next_upkeep_;
  bool disk_is_full_ = false;
  bool trims_on_ = false;  // the last step of retention was not the last that is due
  bool is_busy_ = false;   // there is more to do, without news
  bool has_told_lost_ = false;
};

}  // namespace carillon::eventlog
