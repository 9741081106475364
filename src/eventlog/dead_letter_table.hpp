#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/result.hpp"
#include "eventlog/event_log.hpp"
#include "eventlog/journal_file.hpp"
#include "eventlog/sqlite_database.hpp"

namespace carillon::eventlog {

struct DeadLetterLimits {
  std::uint64_t letters_max = 10'000;
  std::uint64_t bytes_max = 64 * 1024 * 1024;  // of their records
};

// The table of dead letters: put once per position, the oldest leave at the bounds. Dies before its database. One
// thread.
class DeadLetterTable {
 public:
  // Checks every letter; `corrupt` when one does not have its checksum.
  [[nodiscard]] static Result<DeadLetterTable> open(SqliteDatabase& database, const HashKey& key,
                                                    const DeadLetterLimits& limits);

  // put, remove: part of the caller's transaction, whose end the caller tells with committed() or rolled_back().
  // Texts longer than 4 KiB and records longer than 1 MiB are kept cut.
  [[nodiscard]] Result<> put(DeadLetter letter);
  // `not_found` when there is none; that leaves the transaction good.
  [[nodiscard]] Result<> remove(const Position& position);
  void committed() { kept_ = now_; }
  void rolled_back() { now_ = kept_; }

  // Newest first.
  [[nodiscard]] Result<std::vector<DeadLetter>> list(std::size_t limit);
  [[nodiscard]] std::uint64_t size() const { return now_.letters; }

 private:
  struct Totals {
    std::uint64_t letters = 0;
    std::uint64_t bytes = 0;
    std::int64_t last_number = 0;
  };

  DeadLetterTable(SqliteDatabase& database, const HashKey& key, const DeadLetterLimits& limits)
      : database_(&database), key_(key), limits_(limits) {}
  [[nodiscard]] Result<> count();
  [[nodiscard]] Result<> make_room();
  [[nodiscard]] Result<DeadLetter> current() const;
  [[nodiscard]] std::int64_t checksum_of(std::int64_t number, const DeadLetter& letter) const;

  SqliteDatabase* database_;
  HashKey key_;
  DeadLetterLimits limits_;
  Totals now_, kept_;
  SqliteStatement put_, list_, remove_, remove_oldest_;
};

}  // namespace carillon::eventlog
