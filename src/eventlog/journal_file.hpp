#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "base/siphash.hpp"
#include "eventlog/sqlite_database.hpp"

namespace carillon::eventlog {

// What one journal is, written when its file is made; only how far it is ever moves.
struct JournalHeader {
  std::uint32_t epoch = 0;          // random, so that positions of another journal are told apart
  HashKey key;                      // for the hashes of ids and the checksums of rows
  std::uint64_t low_sequence = 1;   // the first record that retention has not deleted
  std::uint64_t letters_up_to = 0;  // the last record that a dead letter was put for

  bool operator==(const JournalHeader&) const = default;
};

// Makes an empty journal where there is nothing yet: first under another name, so that a file at `path` is always
// whole, and an empty one is always damage. The caller holds the journal's mark.
[[nodiscard]] Result<> create_journal_file(const std::string& path);

struct JournalFile {
  std::unique_ptr<SqliteDatabase> database;
  JournalHeader header;
  bool is_migrating = false;
};

// Opens the journal's file for this process alone and checks everything but the rows: that it is a journal of a format
// we know, its schema, its page structure, its header. Changes nothing in a file that it refuses. Errors are `corrupt`
// (damaged or foreign) or `unavailable`, and name the file. Reads the whole file.
// A file of the format before is brought to ours in a transaction that is left open: the caller checks the rest, writes
// the header and commits, or closes the database and nothing has changed.
[[nodiscard]] Result<JournalFile> open_journal_file(const std::string& path);

// Part of the caller's transaction.
[[nodiscard]] Result<> write_journal_header(SqliteDatabase& database, const JournalHeader& header);

// The message of every refusal of damaged data.
[[nodiscard]] Error damaged(const std::string& path, const std::string& what);

}  // namespace carillon::eventlog
