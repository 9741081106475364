#include "eventlog/sqlite_database.hpp"

#include <sqlite3.h>

#include <cerrno>
#include <utility>

#include "base/ensure.hpp"

namespace carillon::eventlog {
namespace {

// Longer than any record, dead letter or statement of ours: a damaged length is refused instead of allocated.
constexpr int kValueBytesMax = 4 * 1024 * 1024;

// SQLite knows only ENOSPC as a full disk; a quota and a file size limit are the same to us.
bool is_full(int code, int system_error) {
  return (code & 0xff) == SQLITE_FULL ||
         (code == SQLITE_IOERR_WRITE && (system_error == EDQUOT || system_error == EFBIG));
}

ErrorKind kind_of(int code, int system_error) {
  if (is_full(code, system_error)) return ErrorKind::full;
  const int primary = code & 0xff;
  const bool damaged = primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB || primary == SQLITE_TOOBIG;
  return damaged ? ErrorKind::corrupt : ErrorKind::unavailable;
}

}  // namespace

void SqliteStatement::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

void SqliteStatement::bind(int parameter, std::int64_t value) {
  ensure(sqlite3_bind_int64(statement_.get(), parameter, value) == SQLITE_OK, "the parameter exists");
}

void SqliteStatement::bind(int parameter, std::string_view bytes) {
  // A null pointer would bind NULL, and an empty view may have one.
  const char* data = bytes.empty() ? "" : bytes.data();
  const int code = sqlite3_bind_blob(statement_.get(), parameter, data, static_cast<int>(bytes.size()), SQLITE_STATIC);
  ensure(code == SQLITE_OK, "the parameter exists and the value is within the limit");
}

Result<bool> SqliteStatement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return std::unexpected(database_->error("cannot read or write"));
}

Result<> SqliteStatement::run() {
  const StatementScope scope(*this);
  const Result<bool> stepped = step();
  if (!stepped) return std::unexpected(stepped.error());
  ensure(!*stepped, "a statement that is run gives no rows");
  return {};
}

void SqliteStatement::reset() {
  sqlite3_reset(statement_.get());
}

std::int64_t SqliteStatement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string_view SqliteStatement::bytes(int column) const {
  // In this order: the pointer may move when the value is converted, and then the size is that of the result.
  const void* data = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return data == nullptr ? std::string_view()
                         : std::string_view(static_cast<const char*>(data), static_cast<std::size_t>(size));
}

Result<std::unique_ptr<SqliteDatabase>> SqliteDatabase::open(const std::string& path) {
  std::unique_ptr<SqliteDatabase> database(new SqliteDatabase(path));
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE;
  if (sqlite3_open_v2(path.c_str(), &database->connection_, flags, nullptr) != SQLITE_OK) {
    return std::unexpected(database->error("cannot open"));
  }
  sqlite3* connection = database->connection_;
  if (sqlite3_db_readonly(connection, "main") != 0) return fail(ErrorKind::unavailable, path + " is not writable");
  sqlite3_db_config(connection, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  // The file may be hostile: nothing in its schema may run.
  sqlite3_db_config(connection, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(connection, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_limit(connection, SQLITE_LIMIT_LENGTH, kValueBytesMax);
  const auto count_pages = [](void* self, sqlite3*, const char*, int pages) {
    static_cast<SqliteDatabase*>(self)->log_pages_ = static_cast<std::uint64_t>(pages);
    return SQLITE_OK;
  };
  // Takes the place of the hook by which SQLite itself would fold, and keep its errors to itself.
  sqlite3_wal_hook(connection, count_pages, database.get());
  return database;
}

SqliteDatabase::~SqliteDatabase() {
  ensure(sqlite3_close(connection_) == SQLITE_OK, "statements are gone before their database");
}

Result<> SqliteDatabase::run(const char* sql) {
  if (sqlite3_exec(connection_, sql, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return std::unexpected(error("cannot read or write"));
}

Result<std::string> SqliteDatabase::text(const char* sql) {
  Result<SqliteStatement> statement = prepare(sql);
  if (!statement) return std::unexpected(statement.error());
  const Result<bool> row = statement->step();
  if (!row) return std::unexpected(row.error());
  return *row ? std::string(statement->bytes(0)) : std::string();
}

Result<SqliteStatement> SqliteDatabase::prepare(std::string_view sql) {
  sqlite3_stmt* prepared = nullptr;
  const int code = sqlite3_prepare_v3(connection_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                                      &prepared, nullptr);
  if (code != SQLITE_OK) return std::unexpected(error("cannot read"));
  SqliteStatement statement;
  statement.database_ = this;
  statement.statement_.reset(prepared);
  return statement;
}

bool SqliteDatabase::in_transaction() const {
  return sqlite3_get_autocommit(connection_) == 0;
}

Result<> SqliteDatabase::fold() {
  int in_log = 0;
  int moved = 0;
  if (sqlite3_wal_checkpoint_v2(connection_, "main", SQLITE_CHECKPOINT_PASSIVE, &in_log, &moved) != SQLITE_OK) {
    return std::unexpected(error("cannot move its write-ahead log into the file"));
  }
  log_pages_ = static_cast<std::uint64_t>(in_log - moved);
  return {};
}

void SqliteDatabase::fold_on_close() {
  sqlite3_db_config(connection_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);
}

Error SqliteDatabase::error(std::string_view doing) const {
  const int code = sqlite3_extended_errcode(connection_);
  const int system_error = sqlite3_system_errno(connection_);
  if ((code & 0xff) == SQLITE_BUSY) return {ErrorKind::unavailable, path_ + " is in use by another process"};
  const ErrorKind kind = kind_of(code, system_error);
  std::string message = path_ + (kind == ErrorKind::corrupt ? " is damaged: " : ": ") + std::string(doing) + ": " +
                        sqlite3_errmsg(connection_) + " (sqlite " + std::to_string(code);
  if (system_error != 0) message += ", errno " + std::to_string(system_error);
  return {kind, message + ")"};
}

}  // namespace carillon::eventlog
