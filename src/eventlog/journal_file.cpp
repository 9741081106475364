#include "eventlog/journal_file.hpp"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/ensure.hpp"

namespace carillon::eventlog {
namespace {

constexpr std::uint32_t kApplicationId = 0x43726c6e;  // "Crln"
constexpr std::uint32_t kFormat = 2;
constexpr std::uint32_t kFormatBefore = 1;

constexpr std::string_view kRecords =
    "CREATE TABLE records(sequence INTEGER PRIMARY KEY, logged_at INTEGER, checksum INTEGER, id BLOB, bytes BLOB)";
constexpr std::string_view kDeadLetters =
    "CREATE TABLE dead_letters(number INTEGER PRIMARY KEY, at INTEGER, checksum INTEGER, position BLOB, reason BLOB, "
    "detail BLOB, bytes BLOB)";
constexpr std::string_view kDeadLettersPosition = "CREATE UNIQUE INDEX dead_letters_position ON dead_letters(position)";
constexpr std::string_view kHeader =
    "CREATE TABLE header(one INTEGER PRIMARY KEY, epoch INTEGER, key_low INTEGER, key_high INTEGER, low_sequence "
    "INTEGER, letters_up_to INTEGER, checksum INTEGER)";
constexpr std::string_view kKept =
    "CREATE TABLE kept(sequence INTEGER PRIMARY KEY, logged_at INTEGER, checksum INTEGER, id BLOB, bytes BLOB)";
constexpr std::string_view kHeaderBefore =
    "CREATE TABLE header(one INTEGER PRIMARY KEY, epoch INTEGER, key_low INTEGER, key_high INTEGER, low_sequence "
    "INTEGER, checksum INTEGER)";

// In the order in which they are made, which for a migrated file is not another one.
constexpr std::string_view kSchema[] = {kRecords, kDeadLetters, kDeadLettersPosition, kHeader, kKept};
constexpr std::string_view kSchemaBefore[] = {kHeaderBefore, kRecords, kDeadLetters, kDeadLettersPosition};

// locking_mode before the first access: then the index of the write-ahead log is in our memory instead of a file that
// others could map. secure_delete would write out every page that retention frees.
constexpr const char* kSettings =
    "PRAGMA locking_mode=EXCLUSIVE; PRAGMA synchronous=FULL; PRAGMA secure_delete=OFF;"
    "PRAGMA temp_store=MEMORY; PRAGMA mmap_size=0; PRAGMA cell_size_check=ON; PRAGMA cache_spill=OFF";

std::string system_text(int error) {
  return std::generic_category().message(error);
}

class Descriptor {
 public:
  Descriptor(const std::string& path, int flags) : descriptor_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
  ~Descriptor() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return descriptor_; }
  [[nodiscard]] bool is_open() const { return descriptor_ >= 0; }

 private:
  int descriptor_;
};

bool exists(const std::string& path) {
  struct stat status{};
  return ::lstat(path.c_str(), &status) == 0;
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

Result<> sync_folder(const std::string& path) {
  const Descriptor folder(folder_of(path), O_RDONLY | O_DIRECTORY);
  if (folder.is_open() && ::fsync(folder.get()) == 0) return {};
  return fail(ErrorKind::unavailable, "cannot sync the folder of " + path + ": " + system_text(errno));
}

JournalHeader new_header() {
  JournalHeader header;
  std::array<std::uint64_t, 3> random{};
  ensure(::getrandom(random.data(), sizeof random, 0) == static_cast<ssize_t>(sizeof random), "the system has entropy");
  header.epoch = static_cast<std::uint32_t>(random[0]);
  header.key = {random[1], random[2]};
  return header;
}

std::int64_t checksum_of(const JournalHeader& header) {
  return row_checksum(header.key, {header.epoch, header.low_sequence, header.letters_up_to});
}

std::int64_t checksum_before(const JournalHeader& header) {
  return row_checksum(header.key, {header.epoch, header.low_sequence});
}

Result<> fill(SqliteDatabase& database) {
  std::string sql = "PRAGMA page_size=4096; PRAGMA auto_vacuum=NONE; BEGIN IMMEDIATE;";
  sql += "PRAGMA application_id=" + std::to_string(kApplicationId) +
         "; PRAGMA user_version=" + std::to_string(kFormat) + ";";
  for (const std::string_view statement : kSchema) sql += std::string(statement) + ";";
  if (Result<> made = database.run(sql.c_str()); !made) return made;
  if (Result<> written = write_journal_header(database, new_header()); !written) return written;
  return database.run("COMMIT; PRAGMA journal_mode=WAL");
}

// A number of the SQLite header, big-endian (fileformat2.html, 1.3).
std::uint32_t number_at(std::string_view header, std::size_t offset) {
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i) number = number << 8 | static_cast<unsigned char>(header[offset + i]);
  return number;
}

// Before SQLite gets the file: opening it for writing could already change a foreign one.
Result<> check_file_head(const std::string& path) {
  const Descriptor file(path, O_RDONLY);
  if (!file.is_open()) return fail(ErrorKind::unavailable, "cannot open " + path + ": " + system_text(errno));
  std::array<char, 100> buffer{};
  const ssize_t size = ::read(file.get(), buffer.data(), buffer.size());
  if (size < 0) return fail(ErrorKind::unavailable, "cannot read " + path + ": " + system_text(errno));
  const std::string_view head(buffer.data(), static_cast<std::size_t>(size));
  if (head.empty()) return std::unexpected(damaged(path, "it is empty"));
  if (head.size() < buffer.size() || !head.starts_with(std::string_view("SQLite format 3\0", 16))) {
    return fail(ErrorKind::corrupt, path + " is not a journal of carillon, or its beginning is damaged");
  }
  if (number_at(head, 68) != kApplicationId) {
    return fail(ErrorKind::corrupt, path + " is an SQLite file, but not a journal of carillon");
  }
  const std::uint32_t format = number_at(head, 60);
  if (format == kFormat || format == kFormatBefore) return {};
  return fail(ErrorKind::corrupt, path + " has the format " + std::to_string(format) +
                                      "; this version of carillon knows only " + std::to_string(kFormatBefore) +
                                      " and " + std::to_string(kFormat));
}

// Our files never have one, and SQLite would play it back into the journal.
Result<> check_no_rollback_journal(const std::string& path) {
  if (!exists(path + "-journal")) return {};
  return fail(ErrorKind::corrupt, path + "-journal does not belong to " + path + "; move it away");
}

Result<> check_schema(SqliteDatabase& database, std::span<const std::string_view> schema) {
  Result<SqliteStatement> rows = database.prepare("SELECT sql FROM sqlite_schema ORDER BY rowid");
  if (!rows) return std::unexpected(rows.error());
  const Error other = damaged(database.path(), "its tables are not those of a journal");
  for (const std::string_view expected : schema) {
    const Result<bool> row = rows->step();
    if (!row) return std::unexpected(row.error());
    if (!*row || rows->bytes(0) != expected) return std::unexpected(other);
  }
  const Result<bool> more = rows->step();
  if (!more) return std::unexpected(more.error());
  if (*more) return std::unexpected(other);
  return {};
}

// Every page is used once and is in order. What rows contain is for their checksums to say.
Result<> check_structure(SqliteDatabase& database) {
  for (const char* check : {"PRAGMA quick_check(1)", "PRAGMA integrity_check(dead_letters)"}) {
    const Result<std::string> verdict = database.text(check);
    if (!verdict) return std::unexpected(verdict.error());
    if (*verdict != "ok") return std::unexpected(damaged(database.path(), *verdict));
  }
  return {};
}

Result<> check_mode(SqliteDatabase& database) {
  const Result<std::string> mode = database.text("PRAGMA journal_mode=WAL");
  if (!mode) return std::unexpected(mode.error());
  if (*mode == "wal") return {};
  return fail(ErrorKind::unavailable, database.path() + " cannot have a write-ahead log here");
}

// Returns whether the file has the format before.
Result<bool> check_opened(SqliteDatabase& database) {
  if (Result<> set = database.run(kSettings); !set) return std::unexpected(set.error());
  // The head of the file does not say it, when the migration is still in the write-ahead log.
  const Result<std::string> format = database.text("PRAGMA user_version");
  if (!format) return std::unexpected(format.error());
  const bool is_before = *format == std::to_string(kFormatBefore);
  const Result<> schema = is_before ? check_schema(database, kSchemaBefore) : check_schema(database, kSchema);
  if (!schema) return std::unexpected(schema.error());
  if (Result<> structure = check_structure(database); !structure) return std::unexpected(structure.error());
  if (Result<> mode = check_mode(database); !mode) return std::unexpected(mode.error());
  return is_before;
}

Result<JournalHeader> read_header(SqliteDatabase& database, bool is_before) {
  Result<SqliteStatement> row = database.prepare(
      is_before ? "SELECT epoch, key_low, key_high, low_sequence, 0, checksum FROM header WHERE one = 1"
                : "SELECT epoch, key_low, key_high, low_sequence, letters_up_to, checksum FROM header WHERE one = 1");
  if (!row) return std::unexpected(row.error());
  const Result<bool> found = row->step();
  if (!found) return std::unexpected(found.error());
  JournalHeader header;
  header.epoch = static_cast<std::uint32_t>(row->integer(0));
  header.key = {static_cast<std::uint64_t>(row->integer(1)), static_cast<std::uint64_t>(row->integer(2))};
  header.low_sequence = static_cast<std::uint64_t>(row->integer(3));
  header.letters_up_to = static_cast<std::uint64_t>(row->integer(4));
  const std::int64_t checksum = is_before ? checksum_before(header) : checksum_of(header);
  const bool intact = *found && row->integer(5) == checksum && header.low_sequence != 0;
  if (!intact) return std::unexpected(damaged(database.path(), "its header does not have its checksum"));
  return header;
}

Result<> begin_migration(SqliteDatabase& database) {
  const std::string sql = "BEGIN IMMEDIATE; DROP TABLE header; " + std::string(kHeader) + "; " + std::string(kKept) +
                          "; PRAGMA user_version=" + std::to_string(kFormat);
  return database.run(sql.c_str());
}

}  // namespace

Error damaged(const std::string& path, const std::string& what) {
  return {ErrorKind::corrupt,
          path + " is damaged: " + what + "; put back a whole copy, or move it away to start a new journal"};
}

Result<> create_journal_file(const std::string& path) {
  if (exists(path + "-wal")) return std::unexpected(damaged(path, "it is missing while " + path + "-wal is there"));
  const std::string unfinished = path + "-new";
  for (const char* suffix : {"", "-journal", "-wal"}) ::unlink((unfinished + suffix).c_str());
  if (!Descriptor(unfinished, O_RDWR | O_CREAT | O_EXCL).is_open()) {
    return fail(ErrorKind::unavailable, "cannot make " + path + ": " + system_text(errno));
  }
  {
    Result<std::unique_ptr<SqliteDatabase>> database = SqliteDatabase::open(unfinished);
    if (!database) return std::unexpected(database.error());
    if (Result<> set = (*database)->run(kSettings); !set) return set;
    if (Result<> filled = fill(**database); !filled) return filled;
    (*database)->fold_on_close();
  }
  if (::rename(unfinished.c_str(), path.c_str()) == 0) return sync_folder(path);
  return fail(ErrorKind::unavailable, "cannot make " + path + ": " + system_text(errno));
}

Result<JournalFile> open_journal_file(const std::string& path) {
  if (Result<> head = check_file_head(path); !head) return std::unexpected(head.error());
  if (Result<> alone = check_no_rollback_journal(path); !alone) return std::unexpected(alone.error());
  Result<std::unique_ptr<SqliteDatabase>> database = SqliteDatabase::open(path);
  if (!database) return std::unexpected(database.error());
  const Result<bool> is_before = check_opened(**database);
  if (!is_before) return std::unexpected(is_before.error());
  const Result<JournalHeader> header = read_header(**database, *is_before);
  if (!header) return std::unexpected(header.error());
  if (*is_before) {
    if (Result<> begun = begin_migration(**database); !begun) return std::unexpected(begun.error());
  }
  return JournalFile{std::move(*database), *header, *is_before};
}

Result<> write_journal_header(SqliteDatabase& database, const JournalHeader& header) {
  Result<SqliteStatement> row = database.prepare("INSERT OR REPLACE INTO header VALUES(1, ?1, ?2, ?3, ?4, ?5, ?6)");
  if (!row) return std::unexpected(row.error());
  row->bind(1, static_cast<std::int64_t>(header.epoch));
  row->bind(2, static_cast<std::int64_t>(header.key.low));
  row->bind(3, static_cast<std::int64_t>(header.key.high));
  row->bind(4, static_cast<std::int64_t>(header.low_sequence));
  row->bind(5, static_cast<std::int64_t>(header.letters_up_to));
  row->bind(6, checksum_of(header));
  return row->run();
}

}  // namespace carillon::eventlog
