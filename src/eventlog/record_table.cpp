#include "eventlog/record_table.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace carillon::eventlog {
namespace {

std::int64_t signed_of(std::uint64_t sequence) {
  return static_cast<std::int64_t>(sequence);
}

std::int64_t milliseconds_of(WallTime time) {
  return time.time_since_epoch().count();
}

WallTime time_of(std::int64_t count) {
  return WallTime(milliseconds(count));
}

std::int64_t checksum_of(const HashKey& key, const JournalRow& row, std::uint64_t id_hash) {
  const auto logged_at = static_cast<std::uint64_t>(milliseconds_of(row.logged_at));
  return row_checksum(key, {row.sequence, logged_at, id_hash, siphash(key, row.bytes)});
}

}  // namespace

Result<RecordTable> RecordTable::open(SqliteDatabase& database, const HashKey& key, Name name) {
  RecordTable table(database, key, name);
  const std::string it = name == Name::kept ? "kept" : "records";
  std::vector<std::pair<SqliteStatement*, std::string>> statements = {
      {&table.insert_, "INSERT INTO " + it + " VALUES(?1, ?2, ?3, ?4, ?5)"},
      {&table.read_,
       "SELECT sequence, logged_at, checksum, id, bytes FROM " + it + " WHERE sequence >= ?1 ORDER BY sequence"},
      {&table.erase_, "DELETE FROM " + it + " WHERE sequence >= ?1 AND sequence < ?2"},
  };
  if (name == Name::kept) {
    statements.emplace_back(&table.copy_, "INSERT INTO kept SELECT * FROM records WHERE sequence = ?1");
  }
  for (const auto& [statement, sql] : statements) {
    Result<SqliteStatement> prepared = database.prepare(sql);
    if (!prepared) return std::unexpected(prepared.error());
    *statement = std::move(*prepared);
  }
  return table;
}

Result<> RecordTable::insert(const JournalRow& row, std::uint64_t id_hash) {
  insert_.bind(1, signed_of(row.sequence));
  insert_.bind(2, milliseconds_of(row.logged_at));
  insert_.bind(3, checksum_of(key_, row, id_hash));
  insert_.bind(4, row.id);
  insert_.bind(5, row.bytes);
  return insert_.run();
}

Error RecordTable::damaged_row(std::uint64_t sequence, std::string_view what) const {
  const std::string name = name_ == Name::kept ? "kept record " : "record ";
  return damaged(database_->path(), name + std::to_string(sequence) + std::string(what));
}

Result<JournalRow> RecordTable::current(std::uint64_t expected, Check check) const {
  const JournalRow row{static_cast<std::uint64_t>(read_.integer(0)), time_of(read_.integer(1)), read_.bytes(3),
                       read_.bytes(4)};
  if (name_ == Name::records && row.sequence != expected) {
    return std::unexpected(damaged_row(expected, " is missing"));
  }
  if (check == Check::numbers || read_.integer(2) == checksum_of(key_, row, siphash(key_, row.id))) return row;
  return std::unexpected(damaged_row(row.sequence, " does not have its checksum"));
}

Result<> RecordTable::read(std::uint64_t first, const Visit& visit, Check check) {
  const StatementScope scope(read_);
  read_.bind(1, signed_of(first));
  for (std::uint64_t expected = first;; ++expected) {
    const Result<bool> there = read_.step();
    if (!there) return std::unexpected(there.error());
    if (!*there) return {};
    const Result<JournalRow> row = current(expected, check);
    if (!row) return std::unexpected(row.error());
    if (!visit(*row)) return {};
  }
}

Result<RecordTable::Match> RecordTable::compare(std::uint64_t sequence, std::string_view id, std::string_view bytes) {
  std::optional<Match> match;
  const Result<> read_row = read(sequence, [&](const JournalRow& row) {
    if (row.sequence != sequence) return false;
    match = row.id != id ? Match::other_id : row.bytes == bytes ? Match::same : Match::other_bytes;
    return false;
  });
  if (!read_row) return std::unexpected(read_row.error());
  if (!match) return std::unexpected(damaged_row(sequence, " is missing"));
  return *match;
}

Result<> RecordTable::erase(std::uint64_t first, std::uint64_t end) {
  erase_.bind(1, signed_of(first));
  erase_.bind(2, signed_of(end));
  return erase_.run();
}

Result<> RecordTable::copy(std::uint64_t sequence) {
  copy_.bind(1, signed_of(sequence));
  return copy_.run();
}

}  // namespace carillon::eventlog
