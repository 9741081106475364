// A journal of the format before: it is brought to ours with all it holds, at once or not at all.

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/siphash.hpp"
#include "eventlog/faulty_disk.hpp"
#include "eventlog/journal.hpp"
#include "eventlog/temp_folder.hpp"

namespace carillon::eventlog {
namespace {

constexpr WallTime kNow{milliseconds{1'795'348'800'000}};

Result<std::unique_ptr<Journal>> open(const std::string& path) {
  return Journal::open(path, {});
}

Record record(std::uint64_t sequence) {
  return {"id-" + std::to_string(sequence), "envelope " + std::to_string(sequence) + std::string(300, '.')};
}

// One SQLite connection as any program has it.
class Database {
 public:
  explicit Database(const std::string& path) { sqlite3_open(path.c_str(), &connection_); }
  ~Database() { sqlite3_close(connection_); }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  void run(const std::string& sql) {
    ASSERT_EQ(sqlite3_exec(connection_, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(connection_);
  }
  std::vector<std::int64_t> numbers(const std::string& sql) {
    sqlite3_stmt* statement = nullptr;
    sqlite3_prepare_v2(connection_, sql.c_str(), -1, &statement, nullptr);
    std::vector<std::int64_t> row;
    if (sqlite3_step(statement) == SQLITE_ROW) {
      for (int i = 0; i < sqlite3_column_count(statement); ++i) row.push_back(sqlite3_column_int64(statement, i));
    }
    sqlite3_finalize(statement);
    return row;
  }

 private:
  sqlite3* connection_ = nullptr;
};

// Writes what the journal at `path`, closed in order, holds as a file of the format before.
void write_in_the_format_before(const std::string& path) {
  const std::string old = path + "-old";
  {
    Database database(old);
    database.run("ATTACH '" + path + "' AS now");
    const auto row = database.numbers("SELECT epoch, key_low, key_high, low_sequence FROM now.header");
    ASSERT_EQ(row.size(), 4u);
    const auto number = [&](std::size_t i) { return static_cast<std::uint64_t>(row[i]); };
    const std::int64_t checksum = row_checksum({number(1), number(2)}, {number(0), number(3)});
    database.run(
        "PRAGMA application_id=1131572334; PRAGMA user_version=1;"
        "CREATE TABLE header(one INTEGER PRIMARY KEY, epoch INTEGER, key_low INTEGER, key_high INTEGER, low_sequence "
        "INTEGER, checksum INTEGER);"
        "CREATE TABLE records(sequence INTEGER PRIMARY KEY, logged_at INTEGER, checksum INTEGER, id BLOB, bytes BLOB);"
        "CREATE TABLE dead_letters(number INTEGER PRIMARY KEY, at INTEGER, checksum INTEGER, position BLOB, reason "
        "BLOB, detail BLOB, bytes BLOB);"
        "CREATE UNIQUE INDEX dead_letters_position ON dead_letters(position);"
        "INSERT INTO header SELECT one, epoch, key_low, key_high, low_sequence, " +
        std::to_string(checksum) +
        " FROM now.header;"
        "INSERT INTO records SELECT * FROM now.records; INSERT INTO dead_letters SELECT * FROM now.dead_letters;"
        "DETACH now; PRAGMA journal_mode=WAL");
  }
  write_file(path, read_file(old));
}

class JournalMigration : public testing::Test {
 protected:
  // Records 11 to 40, and dead letters at 20 and 30.
  JournalMigration() {
    Result<std::unique_ptr<Journal>> journal = open(path_);
    for (std::uint64_t sequence = 1; sequence <= 40; ++sequence) {
      const std::vector<Record> call{record(sequence)};
      EXPECT_TRUE((*journal)->begin());
      EXPECT_TRUE((*journal)->append(call, sequence <= 10 ? kNow - std::chrono::hours{25} : kNow));
      EXPECT_TRUE((*journal)->commit());
    }
    for (const Ordinal at : {20U, 30U}) put_letter(**journal, at);
    (*journal)->settle({40, {}});
    EXPECT_EQ((*journal)->trim(kNow)->records, 10u);
    last_ = (*journal)->positions().of(40);
    (*journal)->close_in_order();
    journal->reset();
    write_in_the_format_before(path_);
  }

  static bool put_letter(Journal& journal, Ordinal at) {
    EXPECT_TRUE(journal.begin());
    const Result<bool> put = journal.put_dead_letter({journal.positions().of(at), kNow, "missing", "", "bytes"});
    EXPECT_TRUE(journal.commit());
    return put.value();
  }
  void expect_whole() {
    Result<std::unique_ptr<Journal>> opened = open(path_);
    ASSERT_TRUE(opened) << opened.error().message;
    Journal& journal = **opened;
    EXPECT_EQ(journal.low_sequence(), 11u);
    EXPECT_EQ(journal.kept_rows(), 0u);
    std::vector<StoredRecord> records;
    ASSERT_TRUE(journal.read(11, SIZE_MAX, SIZE_MAX, records));
    ASSERT_EQ(records.size(), 30u);
    for (const StoredRecord& each : records) EXPECT_EQ(each.bytes, record(each.ordinal).bytes);
    EXPECT_EQ(records.back().position, last_);
    EXPECT_EQ(journal.list_dead_letters(10)->size(), 2u);
  }

  TempFolder folder_;
  std::string path_ = folder_.file("journal.db");
  Position last_;
};

TEST_F(JournalMigration, BringsEverythingToThisFormat) {
  expect_whole();
  EXPECT_EQ(Database(path_).numbers("PRAGMA user_version")[0], 2);
  expect_whole();
  Result<std::unique_ptr<Journal>> journal = open(path_);
  // Dead letters go on after the last one that is there.
  for (const Ordinal at : {12U, 20U, 30U}) EXPECT_FALSE(put_letter(**journal, at));
  EXPECT_TRUE(put_letter(**journal, 31));
  (*journal)->settle({40, {{12, 0, false}}});
  EXPECT_EQ((*journal)->trim(kNow + std::chrono::hours{25})->records, 30u);
  EXPECT_EQ((*journal)->kept_rows(), 1u);
}

TEST_F(JournalMigration, ADamagedOneIsRefusedAsItIs) {
  Database(path_).run("UPDATE records SET bytes = 'other' WHERE sequence = 15");
  const std::string before = read_file(path_);
  const Result<std::unique_ptr<Journal>> journal = open(path_);
  ASSERT_FALSE(journal);
  EXPECT_NE(journal.error().message.find("record 15 does not have its checksum"), std::string::npos);
  EXPECT_EQ(read_file(path_), before);
  EXPECT_EQ(read_file(path_ + "-wal"), "");
}

TEST_F(JournalMigration, OneThatLostItsEndIsRefusedAsItIs) {
  Database(path_).run("DELETE FROM records WHERE sequence = 40");
  const std::string before = read_file(path_);
  const Result<std::unique_ptr<Journal>> journal = open(path_);
  ASSERT_FALSE(journal);
  EXPECT_NE(journal.error().message.find("ends at record 39, but records up to 40"), std::string::npos);
  EXPECT_EQ(read_file(path_), before);
}

TEST_F(JournalMigration, AFaultAtAnyStepLeavesOneOfTheTwoFormats) {
  const std::string before = read_file(path_);
  const auto put_back = [&] {
    write_file(path_, before);
    std::filesystem::remove(path_ + "-wal");
  };
  const std::uint64_t operations = [&] {
    const FaultyDisk disk;
    expect_whole();
    return disk.operations();
  }();
  ASSERT_GT(operations, 5u);
  for (std::uint64_t step = 0; step < operations; ++step) {
    for (const int fault : {0, 1, 2, 3}) {
      SCOPED_TRACE(testing::Message() << "fault " << fault << " at " << step);
      put_back();
      FaultyDisk disk;
      if (fault == 0) disk.be_full_from(step);
      if (fault == 1) disk.fail_sync_from(step);
      if (fault >= 2) disk.stop_at(step);
      [[maybe_unused]] const bool opened = open(path_).has_value();
      disk.heal();
      if (fault == 3) disk.lose_power(step);
      expect_whole();
    }
  }
}

}  // namespace
}  // namespace carillon::eventlog
