#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "eventlog/dead_letter_table.hpp"
#include "eventlog/event_log.hpp"
#include "eventlog/id_index.hpp"
#include "eventlog/journal_file.hpp"
#include "eventlog/journal_mark.hpp"
#include "eventlog/kept_steps.hpp"
#include "eventlog/log_positions.hpp"
#include "eventlog/record_table.hpp"
#include "eventlog/sqlite_database.hpp"
#include "eventlog/step_index.hpp"

namespace carillon::eventlog {

struct JournalLimits {
  milliseconds retention_age = std::chrono::hours{24};
  std::uint64_t retention_bytes = std::uint64_t{1} << 30;  // of the records; the kept steps have bounds of their own
  std::uint64_t log_bytes_max = 4 * 1024 * 1024;  // write-ahead log; more is moved into the file after the commit
  // Deleted in one step; more than one group of appends has, so that retention keeps up.
  std::size_t trim_rows_max = 5000;
  KeptLimits kept{};
  DeadLetterLimits dead_letters{};
};

// The journal without its thread: one SQLite file, its mark, and the ids in memory, kept in step. One thread at a time.
//
// 1. Sequences are consecutive, start at 1 and are never used again, whatever the clock does.
// 2. An id is in the index if and only if its row is in the file, kept ones included, or in the open transaction.
// 3. Outside a transaction, what read() gives has been synced.
// 4. Records before the low watermark are gone, but of each order the last step among them is kept.
//
// Errors: `full`: there is no space; nothing of the transaction happened and a later one may succeed. `conflict`,
// `not_found`: about that call alone, the transaction is good. Anything else: the outcome of the transaction is not
// known, or the file is damaged; the journal must not be used any more (architecture: after a failed sync the process
// exits).
class Journal {
 public:
  // Opens or makes the journal at `path`, checks it whole, and takes the lock. Fails with `corrupt` (damaged or
  // foreign, or records that were answered for are gone) or `unavailable`, and a message that names the file.
  [[nodiscard]] static Result<std::unique_ptr<Journal>> open(const std::string& path, const JournalLimits& limits);

  [[nodiscard]] const LogPositions& positions() const { return positions_; }
  [[nodiscard]] std::uint64_t low_sequence() const { return header_.low_sequence; }
  // The last record that a dead letter was put for.
  [[nodiscard]] std::uint64_t letters_up_to() const { return header_.letters_up_to; }
  [[nodiscard]] std::uint64_t next_sequence() const { return next_sequence_; }
  // As of open(); 0: nothing was kept.
  [[nodiscard]] std::uint64_t last_kept() const { return kept_.last_sequence(); }
  [[nodiscard]] std::uint64_t kept_rows() const { return kept_.rows(); }
  // Of all rows.
  [[nodiscard]] std::uint64_t stored_bytes() const { return record_bytes_ + kept_.bytes(); }
  // Whether there are more records than retention allows.
  [[nodiscard]] bool has_too_much() const { return record_bytes_ > limits_.retention_bytes; }
  // Whether retention is so far behind that appends must wait.
  [[nodiscard]] bool is_over_size() const;

  // One transaction: begin, any number of the three writes, then commit or, after an error of the transaction,
  // rollback. A commit that fails with `full` has rolled back.
  [[nodiscard]] Result<> begin();
  // All records of the call or, on `conflict`, none. `records` must live until the end of the transaction.
  [[nodiscard]] Result<Appended> append(std::span<const Record> records, WallTime now);
  // Returns whether it was put: not when one was put at its position, which is one of ours, or a later one.
  [[nodiscard]] Result<bool> put_dead_letter(DeadLetter letter);
  [[nodiscard]] Result<> remove_dead_letter(const Position& position) { return dead_letters_.remove(position); }
  [[nodiscard]] Result<> commit();
  void rollback();

  // Appends to `out` the records from `first`, at most so many, and none after the one that reaches so many bytes.
  [[nodiscard]] Result<> read(std::uint64_t first, std::size_t records_max, std::size_t bytes_max,
                              std::vector<StoredRecord>& out);
  // The same of the kept steps, from `first` or the next after it.
  [[nodiscard]] Result<> read_kept(std::uint64_t first, std::size_t records_max, std::size_t bytes_max,
                                   std::vector<StoredRecord>& out);
  [[nodiscard]] Result<std::vector<DeadLetter>> list_dead_letters(std::size_t limit) {
    return dead_letters_.list(limit);
  }

  // What the follower made of the records that were read, in order: the kept steps, then the records.
  void settle(const Settled& settled);

  struct Trimmed {
    std::size_t records = 0;
    std::uint64_t kept_lost = 0;  // kept steps over their bounds
  };
  // One step of retention, a transaction of its own: deletes records from the old end that are too old or too many,
  // none that is not settled, and keeps the steps among them that are the last of their order. Fewer records than
  // trim_rows_max: no more are due.
  [[nodiscard]] Result<Trimmed> trim(WallTime now);
  // Keeps the write-ahead log within its bound; call after commits.
  [[nodiscard]] Result<> fold();
  // After `full`: commits a small change, to see whether there is space again.
  [[nodiscard]] Result<> probe();
  // Leaves one file without a write-ahead log behind when the journal goes. Without it, all stays as it is on disk.
  void close_in_order() { database_->fold_on_close(); }

 private:
  struct Fresh {
    std::uint64_t hash;
    const Record* record;
  };
  // Records from the low watermark on that retention takes.
  struct Due {
    std::vector<std::uint64_t> id_hashes;
    std::uint64_t bytes_left = 0;
    WallTime log_time;  // at the first record that stays
  };

  Journal(JournalMark mark, JournalFile file, RecordTable records, KeptSteps kept, DeadLetterTable dead_letters,
          const JournalLimits& limits);
  [[nodiscard]] Result<> scan();
  [[nodiscard]] Result<> check_against_mark() const;
  [[nodiscard]] Result<> finish_migration();
  [[nodiscard]] Result<> sync_recovered();
  [[nodiscard]] Result<std::uint64_t> claim(const Record& record);
  [[nodiscard]] Result<RecordTable::Match> compare(std::uint64_t sequence, const Record& record);
  [[nodiscard]] Result<> insert_from(std::size_t fresh_begin, WallTime now);
  void give_back_from(std::size_t fresh_begin);
  [[nodiscard]] Result<> write_and_commit();
  [[nodiscard]] RecordTable::Visit collect(std::size_t records_max, std::size_t bytes_max, bool is_kept,
                                           std::vector<StoredRecord>& out) const;
  [[nodiscard]] Result<Due> find_due(WallTime now);
  [[nodiscard]] bool is_due(const JournalRow& oldest, std::uint64_t bytes_left, WallTime now);
  [[nodiscard]] Result<> move_low_watermark(const Due& due, const StepIndex::Passing& passing);
  void forget_ids(const Due& due, const StepIndex::Passing& passing);

  JournalMark mark_;
  std::unique_ptr<SqliteDatabase> database_;
  JournalHeader header_;
  JournalHeader next_header_;  // as the open transaction leaves it
  RecordTable records_;
  KeptSteps kept_;
  DeadLetterTable dead_letters_;
  JournalLimits limits_;
  LogPositions positions_;
  IdIndex ids_;
  StepIndex steps_;
  std::uint64_t next_sequence_ = 1;
  std::uint64_t scanned_end_ = 1;  // the first record that was not there when the journal was opened
  std::uint64_t record_bytes_ = 0;
  WallTime log_time_;          // the latest logged_at of all that was kept or trimmed
  bool is_shrinking_ = false;  // retention by size is at work
  std::vector<Fresh> fresh_;   // of the open transaction; the last has the sequence next_sequence_ - 1
};

}  // namespace carillon::eventlog
