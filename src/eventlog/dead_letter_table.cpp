#include "eventlog/dead_letter_table.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

namespace carillon::eventlog {
namespace {

constexpr std::size_t kLetterBytesMax = 1024 * 1024;
constexpr std::size_t kLetterTextMax = 4096;

void cut(std::string& text, std::size_t size_max) {
  text.resize(std::min(text.size(), size_max));
}

}  // namespace

Result<DeadLetterTable> DeadLetterTable::open(SqliteDatabase& database, const HashKey& key,
                                              const DeadLetterLimits& limits) {
  DeadLetterTable table(database, key, limits);
  const std::pair<SqliteStatement*, std::string_view> statements[] = {
      {&table.put_, "INSERT INTO dead_letters VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)"},
      {&table.list_,
       "SELECT number, at, checksum, position, reason, detail, bytes FROM dead_letters ORDER BY number DESC LIMIT ?1"},
      {&table.remove_, "DELETE FROM dead_letters WHERE position = ?1 RETURNING length(bytes)"},
      {&table.remove_oldest_,
       "DELETE FROM dead_letters WHERE number = (SELECT min(number) FROM dead_letters) RETURNING length(bytes)"},
  };
  for (const auto& [statement, sql] : statements) {
    Result<SqliteStatement> prepared = database.prepare(sql);
    if (!prepared) return std::unexpected(prepared.error());
    *statement = std::move(*prepared);
  }
  if (Result<> counted = table.count(); !counted) return std::unexpected(counted.error());
  return table;
}

std::int64_t DeadLetterTable::checksum_of(std::int64_t number, const DeadLetter& letter) const {
  const auto at = static_cast<std::uint64_t>(letter.at.time_since_epoch().count());
  return row_checksum(key_, {static_cast<std::uint64_t>(number), at, siphash(key_, letter.position.text),
                             siphash(key_, letter.reason), siphash(key_, letter.detail), siphash(key_, letter.bytes)});
}

Result<DeadLetter> DeadLetterTable::current() const {
  DeadLetter letter{Position{std::string(list_.bytes(3))}, WallTime(milliseconds(list_.integer(1))),
                    std::string(list_.bytes(4)), std::string(list_.bytes(5)), std::string(list_.bytes(6))};
  const std::int64_t number = list_.integer(0);
  if (list_.integer(2) == checksum_of(number, letter)) return letter;
  return std::unexpected(
      damaged(database_->path(), "dead letter " + std::to_string(number) + " does not have its checksum"));
}

Result<> DeadLetterTable::count() {
  const StatementScope scope(list_);
  list_.bind(1, std::numeric_limits<std::int64_t>::max());
  for (;;) {
    const Result<bool> row = list_.step();
    if (!row) return std::unexpected(row.error());
    if (!*row) break;
    const Result<DeadLetter> letter = current();
    if (!letter) return std::unexpected(letter.error());
    ++now_.letters;
    now_.bytes += letter->bytes.size();
    now_.last_number = std::max(now_.last_number, list_.integer(0));
  }
  kept_ = now_;
  return {};
}

Result<> DeadLetterTable::put(DeadLetter letter) {
  cut(letter.reason, kLetterTextMax);
  cut(letter.detail, kLetterTextMax);
  cut(letter.bytes, kLetterBytesMax);
  const std::int64_t number = now_.last_number + 1;
  put_.bind(1, number);
  put_.bind(2, static_cast<std::int64_t>(letter.at.time_since_epoch().count()));
  put_.bind(3, checksum_of(number, letter));
  put_.bind(4, letter.position.text);
  put_.bind(5, letter.reason);
  put_.bind(6, letter.detail);
  put_.bind(7, letter.bytes);
  if (Result<> inserted = put_.run(); !inserted) return inserted;
  now_.last_number = number;
  ++now_.letters;
  now_.bytes += letter.bytes.size();
  return make_room();
}

Result<> DeadLetterTable::make_room() {
  while (now_.letters > limits_.letters_max || (now_.bytes > limits_.bytes_max && now_.letters > 1)) {
    const StatementScope scope(remove_oldest_);
    const Result<bool> removed = remove_oldest_.step();
    if (!removed) return std::unexpected(removed.error());
    --now_.letters;
    now_.bytes -= static_cast<std::uint64_t>(remove_oldest_.integer(0));
  }
  return {};
}

Result<> DeadLetterTable::remove(const Position& position) {
  const StatementScope scope(remove_);
  remove_.bind(1, position.text);
  const Result<bool> removed = remove_.step();
  if (!removed) return std::unexpected(removed.error());
  if (!*removed) return fail(ErrorKind::not_found, "there is no dead letter at " + position.text);
  --now_.letters;
  now_.bytes -= static_cast<std::uint64_t>(remove_.integer(0));
  return {};
}

Result<std::vector<DeadLetter>> DeadLetterTable::list(std::size_t limit) {
  const StatementScope scope(list_);
  list_.bind(1, static_cast<std::int64_t>(limit));
  std::vector<DeadLetter> letters;
  for (;;) {
    const Result<bool> row = list_.step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return letters;
    Result<DeadLetter> letter = current();
    if (!letter) return std::unexpected(letter.error());
    letters.push_back(std::move(*letter));
  }
}

}  // namespace carillon::eventlog
