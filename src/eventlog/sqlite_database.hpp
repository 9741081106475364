#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace carillon::eventlog {

class SqliteDatabase;

// One prepared statement. Dies before its database. One thread.
//
// Use: bind, then step until it says false or stop earlier; reset() before the next use and before a commit or a
// checkpoint, which an unfinished statement would hold up. What is bound must live until reset().
class SqliteStatement {
 public:
  SqliteStatement() = default;  // only to be assigned to

  void bind(int parameter, std::int64_t value);
  void bind(int parameter, std::string_view bytes);
  // Whether there is a row (another row).
  [[nodiscard]] Result<bool> step();
  // Steps a statement that gives no rows, and resets it.
  [[nodiscard]] Result<> run();
  void reset();

  // Of the current row; columns count from 0. The bytes are good until the next step() or reset().
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] std::string_view bytes(int column) const;

 private:
  friend class SqliteDatabase;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  const SqliteDatabase* database_ = nullptr;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

// Resets a statement at the end of a scope.
class StatementScope {
 public:
  explicit StatementScope(SqliteStatement& statement) : statement_(statement) {}
  ~StatementScope() { statement_.reset(); }
  StatementScope(const StatementScope&) = delete;
  StatementScope& operator=(const StatementScope&) = delete;

 private:
  SqliteStatement& statement_;
};

// One SQLite connection that has its file to itself. One thread at a time.
//
// Errors: `full` there is no space, and the transaction was rolled back; `corrupt` the file is damaged or no database;
// `unavailable` anything else. All name the file.
class SqliteDatabase {
 public:
  // Opens a file that is there, for reading and writing; does not yet look into it. A file of which SQLite only gets
  // read access is refused. Closing leaves the write-ahead log as it is until fold_on_close().
  [[nodiscard]] static Result<std::unique_ptr<SqliteDatabase>> open(const std::string& path);
  ~SqliteDatabase();
  SqliteDatabase(const SqliteDatabase&) = delete;
  SqliteDatabase& operator=(const SqliteDatabase&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }

  // Runs statements that need no answer.
  [[nodiscard]] Result<> run(const char* sql);
  // The first column of the first row, as text.
  [[nodiscard]] Result<std::string> text(const char* sql);
  [[nodiscard]] Result<SqliteStatement> prepare(std::string_view sql);

  [[nodiscard]] bool in_transaction() const;

  // Pages in the write-ahead log that are not yet in the file, as of the last commit or fold().
  [[nodiscard]] std::uint64_t log_pages() const { return log_pages_; }
  // Moves the write-ahead log into the file, so that the next commit writes the log from its beginning.
  [[nodiscard]] Result<> fold();
  // A later close moves the write-ahead log into the file and removes it.
  void fold_on_close();

  [[nodiscard]] Error error(std::string_view doing) const;

 private:
  explicit SqliteDatabase(std::string path) : path_(std::move(path)) {}

  std::string path_;
  sqlite3* connection_ = nullptr;
  std::uint64_t log_pages_ = 0;
};

}  // namespace carillon::eventlog
