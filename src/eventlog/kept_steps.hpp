#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "eventlog/journal_file.hpp"
#include "eventlog/record_table.hpp"
#include "eventlog/sqlite_database.hpp"
#include "eventlog/step_index.hpp"

namespace carillon::eventlog {

struct KeptLimits {
  std::uint64_t rows_max = 1'000'000;
  std::uint64_t bytes_max = std::uint64_t{512} << 20;
};

// The steps that retention took from the records and keeps, because an order stands at them (protocol 6.3). They leave
// when their order has moved on; when it is terminal and older than retention, in their order; and beyond the bounds,
// the oldest first. Dies before its database. One thread.
class KeptSteps {
 public:
  // An entry of the index of ids that goes with a row.
  struct Gone {
    std::uint64_t id_hash = 0;
    std::uint64_t sequence = 0;
  };

  [[nodiscard]] static Result<KeptSteps> open(SqliteDatabase& database, const HashKey& key, const KeptLimits& limits);

  // Reads all rows, checked, and counts them. Once, first.
  [[nodiscard]] Result<> scan(const RecordTable::Visit& visit);
  [[nodiscard]] RecordTable& table() { return table_; }

  // What the file does not say: that kept step is terminal. In their order, before any other is taken.
  void note_terminal(std::uint64_t sequence);

  // One step of retention, part of the caller's transaction, whose end the caller tells with committed() or
  // rolled_back(): takes the steps that come from the records, forgets those that leave, terminal ones that were logged
  // before `terminal_since`, and what is over the bounds. Of the last two at most `expire_max` each, or as many as
  // came.
  [[nodiscard]] Result<> pass(const StepIndex::Passing& passing, WallTime terminal_since, std::size_t expire_max);
  // The rows that left in the last pass().
  [[nodiscard]] const std::vector<Gone>& gone() const { return gone_; }
  // Of these, over the bounds.
  [[nodiscard]] std::uint64_t lost() const { return lost_; }
  void committed();
  void rolled_back();

  [[nodiscard]] std::uint64_t rows() const { return now_.rows; }
  [[nodiscard]] std::uint64_t bytes() const { return now_.bytes; }
  // As of scan(); 0: there was none.
  [[nodiscard]] std::uint64_t last_sequence() const { return last_sequence_; }

 private:
  struct Totals {
    std::uint64_t rows = 0;
    std::uint64_t bytes = 0;
  };

  KeptSteps(RecordTable table, const HashKey& key, const KeptLimits& limits)
      : table_(std::move(table)), key_(key), limits_(limits) {}
  [[nodiscard]] Result<> take(const StepIndex::Kept& step);
  [[nodiscard]] Result<> forget(std::uint64_t sequence);
  [[nodiscard]] Result<> expire(WallTime terminal_since, std::size_t expire_max);
  [[nodiscard]] Result<> make_room(std::size_t expire_max);
  void count(const JournalRow& row);

  RecordTable table_;
  HashKey key_;
  KeptLimits limits_;
  Totals now_, before_;  // before: the open transaction
  std::uint64_t last_sequence_ = 0;
  std::deque<std::uint64_t> terminals_;  // in order; some may have left otherwise
  std::size_t terminals_before_ = 0;
  std::size_t expired_ = 0;  // of the terminals, in the open transaction
  std::vector<Gone> gone_;
  std::uint64_t lost_ = 0;
};

}  // namespace carillon::eventlog
