// A process that is killed while many callers append: what it had answered is in the journal, once.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.hpp"
#include "base/ensure.hpp"
#include "eventlog/journal.hpp"
#include "eventlog/sqlite_journal.hpp"
#include "eventlog/temp_folder.hpp"
#include "telemetry/metrics.hpp"

namespace carillon::eventlog {
namespace {

constexpr const char* kFolderVariable = "CARILLON_CRASH_TEST_FOLDER";

class AcceptingSink final : public RecordSink {
 public:
  [[nodiscard]] bool accept(std::vector<StoredRecord>& /*batch*/) override { return true; }
};

// Appends records number `first`, `first` + 1 .. with 32 calls in flight, notes each answer in a file that outlives
// the process, and kills the process in the middle of it after so many answers.
class Victim {
 public:
  Victim(const std::string& folder, int first, int answers_max)
      : journal_({.path = folder + "/journal.db", .limits = {.log_bytes_max = 100'000}}, clock_, registry_),
        notes_(::open((folder + "/answered").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600)),
        next_(first),
        answers_left_(answers_max) {}

  [[noreturn]] void run() {
    ensure(journal_.start(sink_).has_value(), "the journal starts after a kill");
    for (int i = 0; i < 32; ++i) append_next();
    for (;;) ::pause();
  }

 private:
  void append_next() {
    const int number = next_++;
    const std::string id = std::to_string(number);
    journal_.append({{id, "bytes of " + id}}, [this, number](Result<Appended> appended) {
      ensure(appended && appended->accepted == 1, "every record is new");
      ensure(::write(notes_, &number, sizeof number) == sizeof number, "an answer is noted");
      if (--answers_left_ == 0) ::kill(::getpid(), SIGKILL);
      append_next();
    });
  }

  SystemClock clock_;
  telemetry::Registry registry_;
  AcceptingSink sink_;
  SqliteJournal journal_;
  int notes_;
  std::atomic<int> next_;
  int answers_left_;
};

std::vector<int> answered(const std::string& folder) {
  const std::string notes = read_file(folder + "/answered");
  std::vector<int> numbers(notes.size() / sizeof(int));
  std::memcpy(numbers.data(), notes.data(), numbers.size() * sizeof(int));
  return numbers;
}

// How often the journal has each record.
std::unordered_map<std::string, int> stored(const std::string& folder) {
  const Result<std::unique_ptr<Journal>> journal = Journal::open(folder + "/journal.db", {});
  std::unordered_map<std::string, int> counts;
  EXPECT_TRUE(journal) << journal.error().message;
  if (!journal) return counts;
  std::vector<StoredRecord> records;
  EXPECT_TRUE((*journal)->read(1, SIZE_MAX, SIZE_MAX, records));
  for (const StoredRecord& record : records) ++counts[record.bytes];
  return counts;
}

TEST(JournalCrashDeathTest, KeepsEveryAnsweredRecordOnce) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  // The process that dies runs this test from its beginning, and has to find the same folder.
  std::optional<TempFolder> own;
  const char* given = std::getenv(kFolderVariable);
  const std::string folder = given != nullptr ? given : own.emplace().file("");
  ::setenv(kFolderVariable, folder.c_str(), 1);

  int first = 0;
  for (const int answers_max : {1, 50, 700, 3000}) {
    EXPECT_EXIT(Victim(folder, first, answers_max).run(), testing::KilledBySignal(SIGKILL), "");
    const std::unordered_map<std::string, int> counts = stored(folder);
    const std::vector<int> numbers = answered(folder);
    EXPECT_GE(numbers.size(), static_cast<std::size_t>(answers_max));
    for (const int number : numbers) {
      const auto found = counts.find("bytes of " + std::to_string(number));
      ASSERT_NE(found, counts.end()) << number << " was answered and is lost";
      EXPECT_EQ(found->second, 1) << number;
    }
    for (const auto& [bytes, count] : counts) ASSERT_EQ(count, 1) << bytes;
    first += answers_max + 1000;
  }
  ::unsetenv(kFolderVariable);
}

}  // namespace
}  // namespace carillon::eventlog
