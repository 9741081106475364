#include "eventlog/journal.hpp"

#include <filesystem>
#include <optional>
#include <utility>

#include "base/ensure.hpp"
#include "telemetry/log.hpp"

namespace carillon::eventlog {
namespace {

using telemetry::Level;

constexpr std::uint64_t kPageBytes = 4096;
// What a row costs in the file beside its texts.
constexpr std::uint64_t kRowBytes = 40;

std::uint64_t cost(std::string_view id, std::string_view bytes) {
  return kRowBytes + id.size() + bytes.size();
}

Result<> make_if_missing(const std::string& path, const JournalMark& mark) {
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored)) return {};
  if (Result<> made = create_journal_file(path); !made) return made;
  // Clients notice by the epoch; the operator shall know as well.
  if (mark.found()) {
    telemetry::log(Level::warning, "journal was gone, made a new one",
                   {{"path", path}, {"acknowledged", mark.found()->sequence}});
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Journal>> Journal::open(const std::string& path, const JournalLimits& limits) {
  Result<JournalMark> mark = JournalMark::take(path);
  if (!mark) return std::unexpected(mark.error());
  if (Result<> made = make_if_missing(path, *mark); !made) return std::unexpected(made.error());
  Result<std::unique_ptr<SqliteDatabase>> database = open_journal_file(path);
  if (!database) return std::unexpected(database.error());
  const Result<JournalHeader> header = read_journal_header(**database);
  if (!header) return std::unexpected(header.error());
  Result<RecordTable> records = RecordTable::open(**database, header->key);
  if (!records) return std::unexpected(records.error());
  Result<DeadLetterTable> letters = DeadLetterTable::open(**database, header->key, limits.dead_letters);
  if (!letters) return std::unexpected(letters.error());
  std::unique_ptr<Journal> journal(
      new Journal(std::move(*mark), std::move(*database), *header, std::move(*records), std::move(*letters), limits));
  if (Result<> scanned = journal->scan(); !scanned) return std::unexpected(scanned.error());
  if (Result<> whole = journal->check_against_mark(); !whole) return std::unexpected(whole.error());
  if (Result<> synced = journal->sync_recovered(); !synced) return std::unexpected(synced.error());
  return journal;
}

Journal::Journal(JournalMark mark, std::unique_ptr<SqliteDatabase> database, const JournalHeader& header,
                 RecordTable records, DeadLetterTable dead_letters, const JournalLimits& limits)
    : mark_(std::move(mark)),
      database_(std::move(database)),
      header_(header),
      records_(std::move(records)),
      dead_letters_(std::move(dead_letters)),
      limits_(limits),
      positions_('j', header.epoch),
      next_sequence_(header.low_sequence) {}

Result<> Journal::scan() {
  return records_.read(header_.low_sequence, [&](const JournalRow& row) {
    ids_.insert(siphash(header_.key, row.id), row.sequence);
    stored_bytes_ += cost(row.id, row.bytes);
    next_sequence_ = row.sequence + 1;
    return true;
  });
}

Result<> Journal::check_against_mark() const {
  const std::optional<Acknowledged>& found = mark_.found();
  const std::string& path = database_->path();
  if (!found || found->epoch != header_.epoch) {
    if (next_sequence_ > 1) {
      telemetry::log(Level::warning, "journal has no mark, a lost end would not be noticed", {{"path", path}});
    }
    return {};
  }
  if (found->sequence < next_sequence_) return {};
  return fail(ErrorKind::corrupt, path + " ends at record " + std::to_string(next_sequence_ - 1) +
                                      ", but records up to " + std::to_string(found->sequence) +
                                      " were acknowledged: its end or " + path +
                                      "-wal is damaged or missing; put back a whole copy, or remove " + mark_.path() +
                                      " to go on without them");
}

// What a killed process had written may be recovered without ever having been synced. Folding syncs it, before anyone
// can see it.
Result<> Journal::sync_recovered() {
  if (Result<> folded = database_->fold(); !folded && folded.error().kind != ErrorKind::full) return folded;
  mark_.write({header_.epoch, next_sequence_ - 1});
  return {};
}

bool Journal::is_over_size() const {
  return stored_bytes_ > limits_.retention_bytes + limits_.retention_bytes / 4;
}

Result<> Journal::begin() {
  ensure(fresh_.empty(), "the last transaction has ended");
  return database_->run("BEGIN IMMEDIATE");
}

Result<Appended> Journal::append(std::span<const Record> records, WallTime now) {
  const std::size_t call_begin = fresh_.size();
  std::uint64_t last = 0;
  for (const Record& record : records) {
    const Result<std::uint64_t> sequence = claim(record);
    if (!sequence) {
      give_back_from(call_begin);
      return std::unexpected(sequence.error());
    }
    last = *sequence;
  }
  if (Result<> inserted = insert_from(call_begin, now); !inserted) return std::unexpected(inserted.error());
  const std::size_t accepted = fresh_.size() - call_begin;
  return Appended{static_cast<std::uint32_t>(accepted), static_cast<std::uint32_t>(records.size() - accepted),
                  last == 0 ? Position{} : positions_.of(last)};
}

// The sequence that the record has already, or a new one.
Result<std::uint64_t> Journal::claim(const Record& record) {
  const std::uint64_t hash = siphash(header_.key, record.id);
  Result<RecordTable::Match> match = RecordTable::Match::other_id;
  const std::uint64_t found = ids_.find(hash, [&](std::uint64_t sequence) {
    match = compare(sequence, record);
    return !match || *match != RecordTable::Match::other_id;
  });
  if (!match) return std::unexpected(match.error());
  if (found != 0 && *match == RecordTable::Match::same) return found;
  if (found != 0) return fail(ErrorKind::conflict, "the id " + record.id + " is in the log with other content");
  ids_.insert(hash, next_sequence_);
  fresh_.push_back({hash, &record});
  return next_sequence_++;
}

Result<RecordTable::Match> Journal::compare(std::uint64_t sequence, const Record& record) {
  const std::uint64_t fresh_begin = next_sequence_ - fresh_.size();
  if (sequence < fresh_begin) return records_.compare(sequence, record.id, record.bytes);
  const Record& other = *fresh_[sequence - fresh_begin].record;
  if (other.id != record.id) return RecordTable::Match::other_id;
  return other.bytes == record.bytes ? RecordTable::Match::same : RecordTable::Match::other_bytes;
}

Result<> Journal::insert_from(std::size_t fresh_begin, WallTime now) {
  std::uint64_t sequence = next_sequence_ - (fresh_.size() - fresh_begin);
  for (std::size_t i = fresh_begin; i < fresh_.size(); ++i, ++sequence) {
    const Record& record = *fresh_[i].record;
    const JournalRow row{sequence, now, record.id, record.bytes};
    if (Result<> inserted = records_.insert(row, fresh_[i].hash); !inserted) return inserted;
  }
  return {};
}

void Journal::give_back_from(std::size_t fresh_begin) {
  while (fresh_.size() > fresh_begin) {
    ids_.erase(fresh_.back().hash, --next_sequence_);
    fresh_.pop_back();
  }
}

Result<> Journal::commit() {
  if (Result<> committed = database_->run("COMMIT"); !committed) {
    if (committed.error().kind == ErrorKind::full) rollback();
    return committed;
  }
  for (const Fresh& fresh : fresh_) stored_bytes_ += cost(fresh.record->id, fresh.record->bytes);
  if (!fresh_.empty()) mark_.write({header_.epoch, next_sequence_ - 1});
  fresh_.clear();
  dead_letters_.committed();
  return {};
}

void Journal::rollback() {
  // SQLite has rolled back itself after some errors.
  if (database_->in_transaction()) {
    [[maybe_unused]] const Result<> undone = database_->run("ROLLBACK");
    ensure(!database_->in_transaction(), "a transaction can always be rolled back");
  }
  give_back_from(0);
  dead_letters_.rolled_back();
}

Result<> Journal::read(std::uint64_t first, std::size_t records_max, std::size_t bytes_max,
                       std::vector<StoredRecord>& out) {
  std::size_t records = 0;
  std::size_t bytes = 0;
  return records_.read(first, [&](const JournalRow& row) {
    out.push_back({positions_.of(row.sequence), row.sequence, row.logged_at, std::string(row.bytes)});
    bytes += row.bytes.size();
    return ++records < records_max && bytes < bytes_max;
  });
}

// By size it deletes somewhat more than it must, so that not every append has its own small deletion.
bool Journal::is_due(const JournalRow& oldest, std::uint64_t bytes_left, WallTime now) {
  if (bytes_left > limits_.retention_bytes) is_shrinking_ = true;
  if (bytes_left <= limits_.retention_bytes - limits_.retention_bytes / 64) is_shrinking_ = false;
  return is_shrinking_ || oldest.logged_at < now - limits_.retention_age;
}

Result<std::size_t> Journal::trim(WallTime now, std::uint64_t keep_from) {
  std::vector<std::uint64_t> hashes;
  std::uint64_t bytes_left = stored_bytes_;
  const Result<> read = records_.read(header_.low_sequence, [&](const JournalRow& row) {
    const bool stays = row.sequence >= keep_from || hashes.size() == limits_.trim_rows_max;
    if (stays || !is_due(row, bytes_left, now)) return false;
    hashes.push_back(siphash(header_.key, row.id));
    bytes_left -= cost(row.id, row.bytes);
    return true;
  });
  if (!read) return std::unexpected(read.error());
  if (hashes.empty()) return 0;
  const std::uint64_t old_low = header_.low_sequence;
  if (Result<> moved = move_low_watermark(old_low + hashes.size()); !moved) return std::unexpected(moved.error());
  for (std::size_t i = 0; i < hashes.size(); ++i) ids_.erase(hashes[i], old_low + i);
  stored_bytes_ = bytes_left;
  return hashes.size();
}

// The deletion and the watermark in one transaction: after a crash the file says exactly what it does not have.
Result<> Journal::move_low_watermark(std::uint64_t sequence) {
  JournalHeader moved = header_;
  moved.low_sequence = sequence;
  Result<> done = begin();
  if (done) done = records_.erase_before(sequence);
  if (done) done = write_journal_header(*database_, moved);
  if (done) done = commit();
  if (done) {
    header_ = moved;
  } else if (done.error().kind == ErrorKind::full) {
    rollback();
  }
  return done;
}

Result<> Journal::fold() {
  if (database_->log_pages() * kPageBytes < limits_.log_bytes_max) return {};
  return database_->fold();
}

Result<> Journal::probe() {
  // Makes the space of the write-ahead log usable again, if the file itself need not grow for it.
  if (Result<> folded = database_->fold(); !folded && folded.error().kind != ErrorKind::full) return folded;
  return move_low_watermark(header_.low_sequence);
}

}  // namespace carillon::eventlog
