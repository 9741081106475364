// A process that is killed while many callers append: what it had answered is in the journal, once.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.hpp"
#include "base/ensure.hpp"
#include "eventlog/journal.hpp"
#include "eventlog/log_witness.hpp"
#include "eventlog/sqlite_journal.hpp"
#include "eventlog/temp_folder.hpp"
#include "telemetry/metrics.hpp"

namespace carillon::eventlog {
namespace {

constexpr const char* kFolderVariable = "CARILLON_CRASH_TEST_FOLDER";

constexpr int kOrders = 40;

std::string bytes_of(int number) {
  return "order " + std::to_string(number % kOrders) + " " + std::to_string(number);
}

// Appends records number `first`, `first` + 1 .. with 32 calls in flight, each a step of one of the orders, notes each
// answer in a file that outlives the process, and kills the process in the middle of it after so many answers.
class Victim {
 public:
  Victim(const std::string& folder, const JournalLimits& limits, int first, int answers_max)
      : journal_({.path = folder + "/journal.db", .limits = limits}, clock_, registry_),
        notes_(::open((folder + "/answered").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600)),
        next_(first),
        answers_left_(answers_max) {}

  [[noreturn]] void run() {
    sink_.settle_with(journal_);
    ensure(journal_.start(sink_).has_value(), "the journal starts after a kill");
    for (int i = 0; i < 32; ++i) append_next();
    for (;;) ::pause();
  }

 private:
  void append_next() {
    // The numbers of an order are in the log in their order.
    const std::lock_guard lock(mutex_);
    const int number = next_++;
    const std::string id = std::to_string(number);
    journal_.append({{id, bytes_of(number)}}, [this, number](Result<Appended> appended) {
      ensure(appended && appended->accepted == 1, "every record is new");
      ensure(::write(notes_, &number, sizeof number) == sizeof number, "an answer is noted");
      if (--answers_left_ == 0) ::kill(::getpid(), SIGKILL);
      append_next();
    });
  }

  SystemClock clock_;
  telemetry::Registry registry_;
  RecordingSink sink_;
  SqliteJournal journal_;
  int notes_;
  std::mutex mutex_;
  int next_;
  int answers_left_;
};

std::vector<int> answered(const std::string& folder) {
  const std::string notes = read_file(folder + "/answered");
  std::vector<int> numbers(notes.size() / sizeof(int));
  std::memcpy(numbers.data(), notes.data(), numbers.size() * sizeof(int));
  return numbers;
}

// The journal's records, after the kept ones.
std::vector<StoredRecord> stored(const std::string& folder) {
  const Result<std::unique_ptr<Journal>> journal = Journal::open(folder + "/journal.db", {});
  std::vector<StoredRecord> records;
  EXPECT_TRUE(journal) << journal.error().message;
  if (!journal) return records;
  EXPECT_TRUE((*journal)->read_kept(1, SIZE_MAX, SIZE_MAX, records));
  EXPECT_TRUE((*journal)->read((*journal)->low_sequence(), SIZE_MAX, SIZE_MAX, records));
  return records;
}

class JournalCrashDeathTest : public testing::Test {
 protected:
  // The process that dies runs its test from the beginning, and has to find the same folder.
  JournalCrashDeathTest() {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    const char* given = std::getenv(kFolderVariable);
    folder_ = given != nullptr ? given : own_.emplace().file("");
    ::setenv(kFolderVariable, folder_.c_str(), 1);
  }
  ~JournalCrashDeathTest() override { ::unsetenv(kFolderVariable); }

  std::optional<TempFolder> own_;
  std::string folder_;
};

TEST_F(JournalCrashDeathTest, KeepsEveryAnsweredRecordOnce) {
  int first = 0;
  for (const int answers_max : {1, 50, 700, 3000}) {
    EXPECT_EXIT(Victim(folder_, {.log_bytes_max = 100'000}, first, answers_max).run(), testing::KilledBySignal(SIGKILL),
                "");
    std::unordered_map<std::string, int> counts;
    for (const StoredRecord& record : stored(folder_)) ++counts[record.bytes];
    const std::vector<int> numbers = answered(folder_);
    EXPECT_GE(numbers.size(), static_cast<std::size_t>(answers_max));
    for (const int number : numbers) {
      const auto found = counts.find(bytes_of(number));
      ASSERT_NE(found, counts.end()) << number << " was answered and is lost";
      EXPECT_EQ(found->second, 1) << number;
    }
    for (const auto& [bytes, count] : counts) ASSERT_EQ(count, 1) << bytes;
    first += answers_max + 1000;
  }
}

TEST_F(JournalCrashDeathTest, KeepsEveryOrderWhileRetentionIsAtWork) {
  const JournalLimits limits{.retention_bytes = 40'000, .log_bytes_max = 100'000, .trim_rows_max = 50};
  int first = 0;
  for (const int answers_max : {1500, 100, 700}) {
    EXPECT_EXIT(Victim(folder_, limits, first, answers_max).run(), testing::KilledBySignal(SIGKILL), "");
    std::unordered_map<int, int> last;  // order -> number
    std::unordered_map<int, int> kept;
    bool was_trimmed = false;
    for (const StoredRecord& record : stored(folder_)) {
      const int number = std::stoi(record.bytes.substr(record.bytes.rfind(' ') + 1));
      last[number % kOrders] = std::max(last[number % kOrders], number);
      if (record.is_kept) EXPECT_EQ(++kept[number % kOrders], 1) << "two steps of one order";
      was_trimmed = was_trimmed || record.is_kept;
    }
    EXPECT_TRUE(was_trimmed);
    for (const int number : answered(folder_)) EXPECT_GE(last[number % kOrders], number) << "an order went back";
    first += answers_max + 1000;
  }
}

}  // namespace
}  // namespace carillon::eventlog
