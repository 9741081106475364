#include "eventlog/journal.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>

#include "base/ensure.hpp"
#include "telemetry/log.hpp"

namespace carillon::eventlog {
namespace {

using telemetry::Level;

constexpr std::uint64_t kPageBytes = 4096;

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
  Result<JournalFile> file = open_journal_file(path);
  if (!file) return std::unexpected(file.error());
  const HashKey key = file->header.key;
  Result<RecordTable> records = RecordTable::open(*file->database, key, RecordTable::Name::records);
  if (!records) return std::unexpected(records.error());
  Result<KeptSteps> kept = KeptSteps::open(*file->database, key, limits.kept);
  if (!kept) return std::unexpected(kept.error());
  Result<DeadLetterTable> letters = DeadLetterTable::open(*file->database, key, limits.dead_letters);
  if (!letters) return std::unexpected(letters.error());
  const bool is_migrating = file->is_migrating;
  std::unique_ptr<Journal> journal(new Journal(std::move(*mark), std::move(*file), std::move(*records),
                                               std::move(*kept), std::move(*letters), limits));
  if (Result<> scanned = journal->scan(); !scanned) return std::unexpected(scanned.error());
  if (Result<> whole = journal->check_against_mark(); !whole) return std::unexpected(whole.error());
  if (is_migrating) {
    if (Result<> migrated = journal->finish_migration(); !migrated) return std::unexpected(migrated.error());
  }
  if (Result<> synced = journal->sync_recovered(); !synced) return std::unexpected(synced.error());
  return journal;
}

Journal::Journal(JournalMark mark, JournalFile file, RecordTable records, KeptSteps kept, DeadLetterTable dead_letters,
                 const JournalLimits& limits)
    : mark_(std::move(mark)),
      database_(std::move(file.database)),
      header_(file.header),
      next_header_(header_),
      records_(std::move(records)),
      kept_(std::move(kept)),
      dead_letters_(std::move(dead_letters)),
      limits_(limits),
      positions_('j', header_.epoch),
      steps_(header_.low_sequence),
      next_sequence_(header_.low_sequence) {}

Result<> Journal::scan() {
  const Result<> read = kept_.scan([&](const JournalRow& row) {
    ids_.insert(siphash(header_.key, row.id), row.sequence);
    log_time_ = std::max(log_time_, row.logged_at);
    return true;
  });
  if (!read) return read;
  if (kept_.last_sequence() >= header_.low_sequence) {
    return std::unexpected(damaged(database_->path(), "a kept record is not before its first"));
  }
  const Result<> scanned = records_.read(header_.low_sequence, [&](const JournalRow& row) {
    ids_.insert(siphash(header_.key, row.id), row.sequence);
    record_bytes_ += row.cost();
    next_sequence_ = row.sequence + 1;
    return true;
  });
  scanned_end_ = next_sequence_;
  return scanned;
}

// The format before did not say how far dead letters were put: those that are there are not put again.
Result<> Journal::finish_migration() {
  const Result<std::vector<DeadLetter>> letters = dead_letters_.list(dead_letters_.size());
  if (!letters) return std::unexpected(letters.error());
  for (const DeadLetter& letter : *letters) {
    const Ordinal ordinal = positions_.number(letter.position.text).value_or(0);
    if (ordinal < next_sequence_) next_header_.letters_up_to = std::max(next_header_.letters_up_to, ordinal);
  }
  if (Result<> written = write_journal_header(*database_, next_header_); !written) return written;
  if (Result<> committed = database_->run("COMMIT"); !committed) return committed;
  header_ = next_header_;
  telemetry::log(Level::info, "journal brought to this version's format", {{"path", database_->path()}});
  return {};
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
  return record_bytes_ > limits_.retention_bytes + limits_.retention_bytes / 4;
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
  if (sequence < fresh_begin) {
    RecordTable& table = sequence < header_.low_sequence ? kept_.table() : records_;
    return table.compare(sequence, record.id, record.bytes);
  }
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

Result<bool> Journal::put_dead_letter(DeadLetter letter) {
  const auto ordinal = positions_.number(letter.position.text);
  ensure(ordinal && *ordinal < next_sequence_, "a dead letter is at a position of its journal");
  if (*ordinal <= next_header_.letters_up_to) return false;
  next_header_.letters_up_to = *ordinal;
  if (Result<> put = dead_letters_.put(std::move(letter)); !put) return std::unexpected(put.error());
  return true;
}

Result<> Journal::commit() {
  if (Result<> committed = write_and_commit(); !committed) {
    if (committed.error().kind == ErrorKind::full) rollback();
    return committed;
  }
  for (const Fresh& fresh : fresh_) record_bytes_ += JournalRow::cost_of(fresh.record->id, fresh.record->bytes);
  if (!fresh_.empty()) mark_.write({header_.epoch, next_sequence_ - 1});
  fresh_.clear();
  header_ = next_header_;
  kept_.committed();
  dead_letters_.committed();
  return {};
}

// How far the journal is changes with the rows that say so: after a crash the file says exactly what it does not have.
Result<> Journal::write_and_commit() {
  if (next_header_ != header_) {
    if (Result<> written = write_journal_header(*database_, next_header_); !written) return written;
  }
  return database_->run("COMMIT");
}

void Journal::rollback() {
  // SQLite has rolled back itself after some errors.
  if (database_->in_transaction()) {
    [[maybe_unused]] const Result<> undone = database_->run("ROLLBACK");
    ensure(!database_->in_transaction(), "a transaction can always be rolled back");
  }
  give_back_from(0);
  next_header_ = header_;
  kept_.rolled_back();
  dead_letters_.rolled_back();
}

Result<> Journal::read(std::uint64_t first, std::size_t records_max, std::size_t bytes_max,
                       std::vector<StoredRecord>& out) {
  // What the check at the start has read is read a second time right after it.
  const auto check = first < scanned_end_ ? RecordTable::Check::numbers : RecordTable::Check::everything;
  return records_.read(first, collect(records_max, bytes_max, false, out), check);
}

Result<> Journal::read_kept(std::uint64_t first, std::size_t records_max, std::size_t bytes_max,
                            std::vector<StoredRecord>& out) {
  return kept_.table().read(first, collect(records_max, bytes_max, true, out));
}

RecordTable::Visit Journal::collect(std::size_t records_max, std::size_t bytes_max, bool is_kept,
                                    std::vector<StoredRecord>& out) const {
  return [=, this, &out, records = std::size_t{0}, bytes = std::size_t{0}](const JournalRow& row) mutable {
    out.push_back({.position = positions_.of(row.sequence),
                   .ordinal = row.sequence,
                   .offset = {row.sequence},
                   .logged_at = row.logged_at,
                   .bytes = std::string(row.bytes),
                   .is_kept = is_kept});
    bytes += row.bytes.size();
    return ++records < records_max && bytes < bytes_max;
  };
}

void Journal::settle(const Settled& settled) {
  ensure(settled.up_to < next_sequence_, "only what was read is settled");
  for (const Settled::OrderStep& step : settled.steps) {
    if (step.ordinal < header_.low_sequence && step.is_terminal) kept_.note_terminal(step.ordinal);
  }
  steps_.settle(settled);
}

// By size it deletes somewhat more than it must, so that not every append has its own small deletion.
bool Journal::is_due(const JournalRow& oldest, std::uint64_t bytes_left, WallTime now) {
  if (bytes_left > limits_.retention_bytes) is_shrinking_ = true;
  if (bytes_left <= limits_.retention_bytes - limits_.retention_bytes / 64) is_shrinking_ = false;
  return is_shrinking_ || oldest.logged_at < now - limits_.retention_age;
}

Result<Journal::Due> Journal::find_due(WallTime now) {
  Due due{{}, record_bytes_, log_time_};
  const Result<> read = records_.read(header_.low_sequence, [&](const JournalRow& row) {
    due.log_time = std::max(due.log_time, row.logged_at);
    const bool stays = row.sequence > steps_.settled() || due.id_hashes.size() == limits_.trim_rows_max;
    if (stays || !is_due(row, due.bytes_left, now)) return false;
    due.id_hashes.push_back(siphash(header_.key, row.id));
    due.bytes_left -= row.cost();
    return true;
  });
  if (!read) return std::unexpected(read.error());
  return due;
}

Result<Journal::Trimmed> Journal::trim(WallTime now) {
  const Result<Due> due = find_due(now);
  if (!due) return std::unexpected(due.error());
  const std::size_t records = due->id_hashes.size();
  if (records == 0) return Trimmed{};
  const StepIndex::Passing passing = steps_.passing(header_.low_sequence + records);
  if (Result<> moved = move_low_watermark(*due, passing); !moved) return std::unexpected(moved.error());
  forget_ids(*due, passing);
  steps_.move_to(header_.low_sequence);
  record_bytes_ = due->bytes_left;
  log_time_ = due->log_time;
  return Trimmed{records, kept_.lost()};
}

Result<> Journal::move_low_watermark(const Due& due, const StepIndex::Passing& passing) {
  next_header_.low_sequence += due.id_hashes.size();
  Result<> done = begin();
  if (done) done = kept_.pass(passing, due.log_time - limits_.retention_age, limits_.trim_rows_max);
  if (done) done = records_.erase(header_.low_sequence, next_header_.low_sequence);
  if (done) return commit();
  if (done.error().kind == ErrorKind::full) rollback();
  return done;
}

// The ids of the records that went, but for those that are kept, and of the kept ones that left.
void Journal::forget_ids(const Due& due, const StepIndex::Passing& passing) {
  auto kept = passing.come.begin();
  std::uint64_t sequence = header_.low_sequence - due.id_hashes.size();
  for (const std::uint64_t hash : due.id_hashes) {
    if (kept != passing.come.end() && kept->ordinal == sequence) {
      ++kept;
    } else {
      ids_.erase(hash, sequence);
    }
    ++sequence;
  }
  for (const KeptSteps::Gone& row : kept_.gone()) ids_.erase(row.id_hash, row.sequence);
}

Result<> Journal::fold() {
  if (database_->log_pages() * kPageBytes < limits_.log_bytes_max) return {};
  return database_->fold();
}

Result<> Journal::probe() {
  // Makes the space of the write-ahead log usable again, if the file itself need not grow for it.
  if (Result<> folded = database_->fold(); !folded && folded.error().kind != ErrorKind::full) return folded;
  Result<> written = begin();
  if (written) written = write_journal_header(*database_, header_);
  if (written) return commit();
  if (written.error().kind == ErrorKind::full) rollback();
  return written;
}

}  // namespace carillon::eventlog
