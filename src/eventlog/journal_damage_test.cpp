// A journal that is not what it was: every kind of damage is refused by name or does no harm, and never changes the
// file.

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "eventlog/journal.hpp"
#include "eventlog/temp_folder.hpp"

namespace carillon::eventlog {
namespace {

constexpr WallTime kNow{milliseconds{1'795'348'800'000}};

using Files = std::map<std::string, std::string>;  // suffix -> content

const std::vector<std::string> kSuffixes = {"", "-wal", "-mark"};

std::string envelope(std::uint64_t sequence) {
  return "envelope " + std::to_string(sequence) + std::string(300, '.');
}

Result<std::unique_ptr<Journal>> open(const std::string& path) {
  return Journal::open(path, {});
}

void append(Journal& journal, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t sequence = journal.next_sequence();
    const std::vector<Record> call{{"id-" + std::to_string(sequence), envelope(sequence)}};
    ASSERT_TRUE(journal.begin());
    ASSERT_TRUE(journal.append(call, kNow));
    ASSERT_TRUE(journal.commit());
  }
}

std::string run_sql(const std::string& path, const std::string& sql) {
  sqlite3* connection = nullptr;
  std::string said;
  char* error = nullptr;
  sqlite3_open(path.c_str(), &connection);
  if (sqlite3_exec(connection, sql.c_str(), nullptr, nullptr, &error) != SQLITE_OK) said = error;
  sqlite3_free(error);
  sqlite3_close(connection);
  return said;
}

class JournalDamage : public testing::Test {
 protected:
  // 40 records in the file, 10 in the write-ahead log, all acknowledged, and the process killed.
  static Files killed_journal() {
    const TempFolder folder;
    const std::string path = folder.file("journal.db");
    Files files;
    {
      Result<std::unique_ptr<Journal>> journal = open(path);
      append(**journal, 40);
      const DeadLetter letter{(*journal)->positions().of(7), kNow, "missing", "/payload", "a dead letter"};
      EXPECT_TRUE((*journal)->begin() && (*journal)->put_dead_letter(letter) && (*journal)->commit());
      (*journal)->close_in_order();
    }
    Result<std::unique_ptr<Journal>> journal = open(path);
    append(**journal, 10);
    for (const std::string& suffix : kSuffixes) files[suffix] = read_file(path + suffix);
    return files;
  }

  // The same, after retention took the first 20 records and kept the 10th and the 20th.
  static Files trimmed_journal() {
    const TempFolder folder;
    const std::string path = folder.file("journal.db");
    write_files(killed_journal(), path);
    Result<std::unique_ptr<Journal>> journal = open(path);
    (*journal)->settle({20, {{10, 0, false}, {20, 0, true}}});
    EXPECT_EQ((*journal)->trim(kNow + std::chrono::hours{25})->records, 20U);
    Files files;
    for (const std::string& suffix : kSuffixes) files[suffix] = read_file(path + suffix);
    return files;
  }
  static void write_files(const Files& files, const std::string& path) {
    for (const auto& [suffix, content] : files) write_file(path + suffix, content);
  }

  void put(const Files& files) {
    for (const std::string& suffix : {"", "-wal", "-mark", "-journal"}) std::filesystem::remove(path_ + suffix);
    write_files(files, path_);
  }

  // How the journal is refused; it must be, by name, and without a change to its files.
  std::string refusal() {
    const std::string file = read_file(path_);
    const std::string log = read_file(path_ + "-wal");
    const Result<std::unique_ptr<Journal>> journal = open(path_);
    if (journal) return "it was opened";
    EXPECT_NE(journal.error().message.find(path_), std::string::npos) << journal.error().message;
    EXPECT_EQ(read_file(path_), file);
    EXPECT_EQ(read_file(path_ + "-wal"), log);
    return journal.error().message;
  }

  // Refused, or everything is there as it was: the records from `low` on, and before it those of trimmed_journal().
  testing::AssertionResult refused_or_whole(std::size_t records, std::size_t letters, std::uint64_t low = 1) {
    const Result<std::unique_ptr<Journal>> journal = open(path_);
    if (!journal) {
      if (journal.error().message.find(path_) != std::string::npos) return testing::AssertionSuccess();
      return testing::AssertionFailure() << "no file named: " << journal.error().message;
    }
    std::vector<StoredRecord> read;
    if (!(*journal)->read_kept(1, SIZE_MAX, SIZE_MAX, read)) return testing::AssertionFailure() << "read failed";
    if (read.size() != (low == 1 ? 0U : 2U)) return testing::AssertionFailure() << read.size() << " kept";
    if (!(*journal)->read(low, SIZE_MAX, SIZE_MAX, read)) return testing::AssertionFailure() << "read failed";
    for (const StoredRecord& record : read) {
      if (record.bytes != envelope(record.ordinal)) return testing::AssertionFailure() << "record " << record.ordinal;
      if (record.is_kept && record.ordinal % 10 != 0)
        return testing::AssertionFailure() << "a record that was not kept";
    }
    const std::size_t in_all = read.size() - (*journal)->kept_rows();
    if (in_all != records || (*journal)->low_sequence() != low)
      return testing::AssertionFailure() << in_all << " records";
    const Result<std::vector<DeadLetter>> dead = (*journal)->list_dead_letters(10);
    if (!dead || dead->size() != letters) return testing::AssertionFailure() << "dead letters";
    return testing::AssertionSuccess();
  }

  TempFolder folder_;
  std::string path_ = folder_.file("journal.db");
};

TEST_F(JournalDamage, AWholeOneIsWhole) {
  put(killed_journal());
  ASSERT_TRUE(open(path_));
  EXPECT_TRUE(refused_or_whole(50, 1));
}

TEST_F(JournalDamage, AChangedByteAnywhereIsRefusedOrDoesNoHarm) {
  const Files whole = killed_journal();
  int refused = 0;
  for (const std::string& suffix : kSuffixes) {
    for (std::size_t at = 0; at < whole.at(suffix).size(); at += suffix == "-mark" ? 1 : 53) {
      Files damaged = whole;
      damaged[suffix][at] = static_cast<char>(damaged[suffix][at] ^ (1 << at % 8));
      put(damaged);
      SCOPED_TRACE(suffix + " at " + std::to_string(at));
      EXPECT_TRUE(refused_or_whole(50, 1));
      if (!open(path_)) ++refused;
    }
  }
  EXPECT_GT(refused, 300);
}

TEST_F(JournalDamage, ACutFileIsRefusedOrDoesNoHarm) {
  const Files whole = killed_journal();
  for (const std::string& suffix : {"", "-wal"}) {
    for (std::size_t size = 0; size < whole.at(suffix).size(); size += 499) {
      Files damaged = whole;
      damaged[suffix].resize(size);
      put(damaged);
      SCOPED_TRACE(suffix + " cut at " + std::to_string(size));
      EXPECT_TRUE(refused_or_whole(50, 1));
    }
  }
}

TEST_F(JournalDamage, APageOfZerosIsRefusedOrDoesNoHarm) {
  const Files whole = killed_journal();
  for (const std::string& suffix : {"", "-wal"}) {
    for (std::size_t at = 0; at + 512 <= whole.at(suffix).size(); at += 512) {
      Files damaged = whole;
      damaged[suffix].replace(at, 512, std::string(512, '\0'));
      put(damaged);
      SCOPED_TRACE(suffix + " zeros at " + std::to_string(at));
      EXPECT_TRUE(refused_or_whole(50, 1));
    }
  }
}

TEST_F(JournalDamage, TheTailThatNobodyWasToldOfMayBeTorn) {
  Files files = killed_journal();
  files["-wal"] += std::string(5000, 'x');
  put(files);
  EXPECT_TRUE(open(path_));
  EXPECT_TRUE(refused_or_whole(50, 1));
}

TEST_F(JournalDamage, ALostWriteAheadLogIsNoticedByTheMark) {
  Files files = killed_journal();
  files.erase("-wal");
  put(files);
  const std::string said = refusal();
  EXPECT_NE(said.find("ends at record 40, but records up to 50 were acknowledged"), std::string::npos) << said;

  // As the message says: without the mark the operator goes on without them.
  files.erase("-mark");
  put(files);
  EXPECT_TRUE(refused_or_whole(40, 1));
}

TEST_F(JournalDamage, AFileThatIsGoneWhileItsLogIsThereIsRefused) {
  Files files = killed_journal();
  files.erase("");
  put(files);
  EXPECT_NE(refusal().find("it is missing while"), std::string::npos);
}

TEST_F(JournalDamage, AFileThatIsGoneAltogetherIsMadeAnewWithAnotherEpoch) {
  Files files = killed_journal();
  put(files);
  const Position before = (*open(path_))->positions().of(1);
  put({{"-mark", files["-mark"]}});
  const Result<std::unique_ptr<Journal>> journal = open(path_);
  ASSERT_TRUE(journal);
  EXPECT_EQ((*journal)->next_sequence(), 1u);
  EXPECT_NE((*journal)->positions().of(1), before);
}

TEST_F(JournalDamage, AnEmptyFileIsRefused) {
  put({{"", ""}});
  EXPECT_NE(refusal().find("is damaged: it is empty"), std::string::npos);
}

TEST_F(JournalDamage, AZeroedFileIsRefused) {
  put({{"", std::string(16384, '\0')}});
  EXPECT_NE(refusal().find("is not a journal of carillon"), std::string::npos);
}

TEST_F(JournalDamage, AnotherProgramsFileIsRefused) {
  put({{"", "#!/bin/sh\n" + std::string(200, '\n')}});
  EXPECT_NE(refusal().find("is not a journal of carillon"), std::string::npos);
}

TEST_F(JournalDamage, AnotherProgramsDatabaseIsRefused) {
  ASSERT_EQ(run_sql(path_, "CREATE TABLE customers(name)"), "");
  EXPECT_NE(refusal().find("is an SQLite file, but not a journal of carillon"), std::string::npos);
}

TEST_F(JournalDamage, AFolderIsRefused) {
  std::filesystem::create_directory(path_);
  EXPECT_NE(refusal().find("cannot read"), std::string::npos);
}

TEST_F(JournalDamage, AnUnknownFormatIsRefused) {
  put(killed_journal());
  ASSERT_EQ(run_sql(path_, "PRAGMA user_version = 3"), "");
  EXPECT_NE(refusal().find("has the format 3; this version of carillon knows only 1 and 2"), std::string::npos);
}

TEST_F(JournalDamage, ChangedTablesAreRefused) {
  for (const char* change : {"CREATE TRIGGER t AFTER INSERT ON records BEGIN DELETE FROM records; END",
                             "CREATE VIEW v AS SELECT * FROM records", "CREATE INDEX i ON records(id)",
                             "DROP TABLE dead_letters", "ALTER TABLE records ADD COLUMN more"}) {
    put(killed_journal());
    ASSERT_EQ(run_sql(path_, change), "");
    EXPECT_NE(refusal().find("its tables are not those of a journal"), std::string::npos) << change;
  }
}

TEST_F(JournalDamage, ChangedRowsAreRefused) {
  const std::vector<std::pair<std::string, std::string>> changes = {
      {"UPDATE records SET bytes = 'other' WHERE sequence = 9", "record 9 does not have its checksum"},
      {"UPDATE records SET id = 'other' WHERE sequence = 9", "record 9 does not have its checksum"},
      {"UPDATE records SET logged_at = 1 WHERE sequence = 9", "record 9 does not have its checksum"},
      {"UPDATE records SET sequence = 900 WHERE sequence = 50", "record 50 is missing"},
      {"DELETE FROM records WHERE sequence = 9", "record 9 is missing"},
      {"DELETE FROM records WHERE sequence = 1", "record 1 is missing"},
      {"DELETE FROM records WHERE sequence >= 40", "ends at record 39, but records up to 50 were acknowledged"},
      {"DELETE FROM records", "ends at record 0, but records up to 50 were acknowledged"},
      {"UPDATE header SET epoch = epoch + 1", "its header does not have its checksum"},
      {"UPDATE header SET low_sequence = 5", "its header does not have its checksum"},
      {"UPDATE header SET key_low = 5", "its header does not have its checksum"},
      {"DELETE FROM header", "its header does not have its checksum"},
      {"UPDATE dead_letters SET reason = 'other'", "dead letter 1 does not have its checksum"},
  };
  const Files whole = killed_journal();
  for (const auto& [change, said] : changes) {
    put(whole);
    ASSERT_EQ(run_sql(path_, change), "");
    EXPECT_NE(refusal().find(said), std::string::npos) << change;
  }
}

TEST_F(JournalDamage, AChangedByteBesideKeptStepsIsRefusedOrDoesNoHarm) {
  const Files whole = trimmed_journal();
  put(whole);
  ASSERT_TRUE(open(path_));
  ASSERT_TRUE(refused_or_whole(30, 1, 21));
  int refused = 0;
  for (const std::string& suffix : {"", "-wal"}) {
    for (std::size_t at = 0; at < whole.at(suffix).size(); at += 61) {
      Files damaged = whole;
      damaged[suffix][at] = static_cast<char>(damaged[suffix][at] ^ (1 << at % 8));
      put(damaged);
      SCOPED_TRACE(suffix + " at " + std::to_string(at));
      // Without the write-ahead log it is what it was before the trim.
      EXPECT_TRUE(refused_or_whole(30, 1, 21) || (suffix == "-wal" && refused_or_whole(50, 1)));
      if (!open(path_)) ++refused;
    }
  }
  EXPECT_GT(refused, 50);
}

TEST_F(JournalDamage, ChangedKeptRowsAreRefused) {
  const std::vector<std::pair<std::string, std::string>> changes = {
      {"UPDATE kept SET bytes = 'other' WHERE sequence = 10", "kept record 10 does not have its checksum"},
      {"UPDATE kept SET bytes = substr(bytes, 1, 100) WHERE sequence = 10",
       "kept record 10 does not have its checksum"},
      {"UPDATE kept SET id = NULL WHERE sequence = 20", "kept record 20 does not have its checksum"},
      {"UPDATE kept SET logged_at = 1 WHERE sequence = 20", "kept record 20 does not have its checksum"},
      {"UPDATE kept SET sequence = 11 WHERE sequence = 10", "kept record 11 does not have its checksum"},
      {"INSERT INTO kept SELECT * FROM records WHERE sequence = 30", "a kept record is not before its first"},
      {"UPDATE header SET letters_up_to = 50", "its header does not have its checksum"},
      {"DROP TABLE kept", "its tables are not those of a journal"},
  };
  const Files whole = trimmed_journal();
  for (const auto& [change, said] : changes) {
    put(whole);
    ASSERT_EQ(run_sql(path_, change), "");
    EXPECT_NE(refusal().find(said), std::string::npos) << change;
  }
}

TEST_F(JournalDamage, AForeignRollbackJournalIsRefused) {
  Files files = killed_journal();
  files["-journal"] = "anything";
  put(files);
  EXPECT_NE(refusal().find("-journal does not belong to"), std::string::npos);
}

TEST_F(JournalDamage, AnOlderCopyBesideANewerMarkIsRefused) {
  Files older = killed_journal();
  put(older);
  append(**open(path_), 5);
  older["-mark"] = read_file(path_ + "-mark");
  put(older);
  EXPECT_NE(refusal().find("ends at record 50, but records up to 55 were acknowledged"), std::string::npos);
}

TEST_F(JournalDamage, AMarkOfAnotherJournalDoesNotCount) {
  const Files other = killed_journal();
  Files files = killed_journal();
  files.erase("-wal");
  files["-mark"] = other.at("-mark");
  put(files);
  EXPECT_TRUE(refused_or_whole(40, 1));
}

TEST_F(JournalDamage, ASecondOpenIsRefusedAndTheFirstGoesOn) {
  Result<std::unique_ptr<Journal>> first = open(path_);
  append(**first, 1);
  const Result<std::unique_ptr<Journal>> second = open(path_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().message, path_ + " is in use by another process");
  append(**first, 1);
}

TEST_F(JournalDamage, AnotherProgramCannotWriteIntoAnOpenJournal) {
  Result<std::unique_ptr<Journal>> journal = open(path_);
  append(**journal, 1);
  EXPECT_EQ(run_sql(path_, "DELETE FROM records"), "database is locked");
  // Nor is the lock on the side file the only one.
  std::filesystem::remove(path_ + "-mark");
  EXPECT_EQ(open(path_).error().message, path_ + " is in use by another process");
}

TEST_F(JournalDamage, AFolderThatIsNotThereIsNamed) {
  const std::string path = folder_.file("no/such/journal.db");
  const Result<std::unique_ptr<Journal>> journal = open(path);
  ASSERT_FALSE(journal);
  EXPECT_NE(journal.error().message.find(path), std::string::npos);
}

TEST_F(JournalDamage, FilesAreForTheirOwnerAlone) {
  Result<std::unique_ptr<Journal>> journal = open(path_);
  append(**journal, 1);
  for (const std::string& suffix : kSuffixes) {
    struct stat status{};
    ASSERT_EQ(::stat((path_ + suffix).c_str(), &status), 0) << suffix;
    EXPECT_EQ(status.st_mode & 0777U, 0600U) << suffix;
  }
}

TEST_F(JournalDamage, AHalfMadeJournalIsMadeAgain) {
  write_file(path_ + "-new", "half");
  write_file(path_ + "-new-journal", "half");
  ASSERT_TRUE(open(path_));
  EXPECT_FALSE(std::filesystem::exists(path_ + "-new"));
}

}  // namespace
}  // namespace carillon::eventlog
