#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "eventlog/journal_file.hpp"
#include "eventlog/sqlite_database.hpp"

namespace carillon::eventlog {

// One record as the journal's file has it. What it points to is good until the table's next call.
struct JournalRow {
  std::uint64_t sequence = 0;
  WallTime logged_at;
  std::string_view id;
  std::string_view bytes;

  // What it costs in the file, about.
  [[nodiscard]] std::uint64_t cost() const { return cost_of(id, bytes); }
  [[nodiscard]] static std::uint64_t cost_of(std::string_view id, std::string_view bytes) {
    constexpr std::uint64_t kBesideItsTexts = 40;
    return kBesideItsTexts + id.size() + bytes.size();
  }
};

// A table of records, each row with its checksum. Dies before its database. One thread.
// A row that does not have its checksum, or is not there where the numbering says it must be, is `corrupt`.
class RecordTable {
 public:
  enum class Name {
    records,  // consecutive sequences
    kept,     // with gaps
  };
  // What a stored row says of an id and its envelope.
  enum class Match { other_id, same, other_bytes };
  enum class Check { everything, numbers };
  // Returns whether to go on reading.
  using Visit = std::function<bool(const JournalRow&)>;

  [[nodiscard]] static Result<RecordTable> open(SqliteDatabase& database, const HashKey& key, Name name);

  // Part of the caller's transaction. `id_hash` is siphash(key, row.id).
  [[nodiscard]] Result<> insert(const JournalRow& row, std::uint64_t id_hash);
  // Reads rows in order, checked, from `first`, which is there or is the next to be inserted; or, with gaps, from the
  // first after it. Without their checksums where this process has read them before.
  [[nodiscard]] Result<> read(std::uint64_t first, const Visit& visit, Check check = Check::everything);
  // The row of `sequence` is there.
  [[nodiscard]] Result<Match> compare(std::uint64_t sequence, std::string_view id, std::string_view bytes);
  // Part of the caller's transaction.
  [[nodiscard]] Result<> erase(std::uint64_t first, std::uint64_t end);
  // Of `kept`: copies that row from `records`. Part of the caller's transaction.
  [[nodiscard]] Result<> copy(std::uint64_t sequence);

 private:
  RecordTable(SqliteDatabase& database, const HashKey& key, Name name) : database_(&database), key_(key), name_(name) {}
  [[nodiscard]] Result<JournalRow> current(std::uint64_t expected, Check check) const;
  [[nodiscard]] Error damaged_row(std::uint64_t sequence, std::string_view what) const;

  SqliteDatabase* database_;
  HashKey key_;
  Name name_;
  SqliteStatement insert_, read_, erase_, copy_;
};

}  // namespace carillon::eventlog
