// The journal with its thread: what many callers, a slow sink and a failing disk see of it.

#include "eventlog/sqlite_journal.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <expected>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "eventlog/faulty_disk.hpp"
#include "eventlog/log_witness.hpp"
#include "eventlog/temp_folder.hpp"
#include "telemetry/metrics.hpp"

namespace carillon::eventlog {
namespace {

using Strings = std::vector<std::string>;
using std::chrono::hours;

// Holds the journal's thread in accept() until it is told to let go, and takes everything.
class HoldingSink final : public RecordSink {
 public:
  [[nodiscard]] bool accept(std::vector<StoredRecord>& /*batch*/) override {
    if (!holds_) held_.set_value();
    holds_ = true;
    may_go_.wait();
    return true;
  }
  void wait_until_holding() { held_.get_future().wait(); }
  void let_go() { let_go_.set_value(); }

 private:
  bool holds_ = false;
  std::promise<void> held_, let_go_;
  std::shared_future<void> may_go_ = let_go_.get_future().share();
};

class SqliteJournalTest : public testing::Test {
 protected:
  SqliteJournalTest() {
    options_.path = folder_.file("journal.db");
    options_.on_fatal = [this](const Error& error) { fatal_.set_value(error); };
  }

  void start(RecordSink& sink) {
    journal_ = std::make_unique<SqliteJournal>(std::move(options_), clock_, registry_);
    start_made(sink);
  }
  // Settles what it accepts.
  void start(RecordingSink& sink) {
    journal_ = std::make_unique<SqliteJournal>(std::move(options_), clock_, registry_);
    sink.settle_with(*journal_);
    start_made(sink);
  }
  void restart(RecordingSink& sink) {
    journal_.reset();
    options_.path = folder_.file("journal.db");
    start(sink);
  }
  // By the journal's own doing, within all patience.
  [[nodiscard]] bool becomes_writable() const {
    const auto deadline = std::chrono::steady_clock::now() + kWitnessPatience;
    while (!journal_->is_writable() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    return journal_->is_writable();
  }
  [[nodiscard]] bool metrics_say(const std::string& line) const {
    return registry_.text().find("\n" + line + "\n") != std::string::npos;
  }

  void start_made(RecordSink& sink) {
    const Result<> started = journal_->start(sink);
    ASSERT_TRUE(started) << started.error().message;
  }
  // Appends so many records and says where they are.
  std::vector<Position> fill(std::size_t count, RecordingSink& sink) {
    std::vector<Record> call;
    for (std::size_t i = 0; i < count; ++i) call.push_back({"fill-" + std::to_string(i), "bytes"});
    EXPECT_TRUE(append(*journal_, std::move(call)));
    std::vector<Position> positions;
    for (const StoredRecord& each : sink.wait_for(count)) positions.push_back(each.position);
    return positions;
  }

  // Lives as long as the journals that use it.
  RecordingSink& new_sink(std::size_t room = SIZE_MAX) { return sinks_.emplace_back(room); }

  FaultyDisk disk_;
  TempFolder folder_;
  std::deque<RecordingSink> sinks_;
  HoldingSink holding_sink_;
  ManualClock clock_;  // moved only while no journal runs
  telemetry::Registry registry_;
  SqliteJournal::Options options_;
  std::promise<Error> fatal_;
  std::unique_ptr<SqliteJournal> journal_;
};

Record record(const std::string& id) {
  return {id, "bytes of " + id};
}

TEST_F(SqliteJournalTest, ARestartFollowsFromTheOldestRecord) {
  RecordingSink& first = new_sink();
  start(first);
  EXPECT_EQ(place_of(journal_->origin().position), Place());
  ASSERT_TRUE(append(*journal_, {record("old")}));
  journal_->stop();
  clock_.advance(hours{23});
  restart(first);
  ASSERT_TRUE(append(*journal_, {record("young")}));

  RecordingSink& second = new_sink();
  restart(second);
  EXPECT_EQ(bytes_of(second.wait_for(2)), (Strings{"bytes of old", "bytes of young"}));
}

TEST_F(SqliteJournalTest, TheOriginIsBeforeTheOldestRecord) {
  RecordingSink& first = new_sink();
  start(first);
  const Position last = fill(3, first).back();
  journal_->stop();
  clock_.advance(hours{25});
  options_.upkeep_interval = milliseconds{0};
  RecordingSink& second = new_sink();
  restart(second);
  EXPECT_EQ(second.wait_for(3).size(), 3u);
  EXPECT_EQ(place_of(journal_->origin().position), Place());

  RecordingSink& third = new_sink();
  restart(third);
  EXPECT_EQ(journal_->origin().position, last);
  EXPECT_EQ(journal_->locate(last.text), Place(Offset{3}));
  ASSERT_TRUE(append(*journal_, {record("next")}));
  EXPECT_EQ(third.wait_for(1)[0].ordinal, 4u);
}

TEST_F(SqliteJournalTest, NothingLeavesThatIsNotSettled) {
  RecordingSink& first = new_sink();
  start(first);
  fill(3, first);
  journal_->stop();
  clock_.advance(hours{25});
  for (const Ordinal settled : {0U, 2U}) {
    options_.path = folder_.file("journal.db");
    options_.upkeep_interval = milliseconds{0};
    RecordingSink& sink = new_sink();
    start(static_cast<RecordSink&>(sink));
    EXPECT_EQ(place_of(journal_->origin().position), Place());
    EXPECT_EQ(sink.wait_for(3).size(), 3u);
    if (settled != 0) journal_->settle({settled, {}});
    journal_->stop();
  }
  RecordingSink& last = new_sink();
  restart(last);
  EXPECT_EQ(place_of(journal_->origin().position), Place(Offset{2}));
}

TEST_F(SqliteJournalTest, HasCaughtUpWhenTheSinkTookWhatWasThere) {
  RecordingSink& first = new_sink();
  start(first);
  ASSERT_TRUE(append(*journal_, {record("a"), record("b")}));
  RecordingSink& second = new_sink(0);
  restart(second);
  ASSERT_TRUE(second.wait_until_full());
  EXPECT_FALSE(journal_->has_caught_up());
  second.make_room(2);
  journal_->sink_has_room();
  EXPECT_EQ(second.wait_for(2).size(), 2u);
  // A call that is answered later than the acceptance.
  ASSERT_TRUE(dead_letters(*journal_, 1));
  EXPECT_TRUE(journal_->has_caught_up());
}

TEST_F(SqliteJournalTest, MayBeAskedWhileItStarts) {
  RecordingSink& first = new_sink();
  start(first);
  const Position last = fill(2000, first).back();
  journal_->stop();
  options_.path = folder_.file("journal.db");
  journal_ = std::make_unique<SqliteJournal>(std::move(options_), clock_, registry_);
  std::atomic<bool> asks{false};
  std::thread asker([&] {
    std::expected<Place, GapReason> located = std::unexpected(GapReason::unknown);
    while (!located || !journal_->has_caught_up()) {
      located = journal_->locate(last.text);
      EXPECT_EQ(located.value_or(Place(Offset{2000})), Place(Offset{2000}));
      [[maybe_unused]] const bool writable = journal_->is_writable();
      asks = true;
    }
  });
  while (!asks) std::this_thread::yield();
  RecordingSink& second = new_sink();
  start_made(second);
  asker.join();
  EXPECT_EQ(second.wait_for(2000).size(), 2000u);
}

TEST_F(SqliteJournalTest, ManyCallersAtOnceGetEachRecordInOnce) {
  constexpr int kCallers = 8;
  constexpr int kCalls = 200;
  RecordingSink& sink = new_sink();
  start(sink);
  std::atomic<std::uint32_t> accepted{0};
  std::atomic<std::uint32_t> duplicates{0};
  std::vector<std::thread> callers;
  callers.reserve(kCallers);
  for (int caller = 0; caller < kCallers; ++caller) {
    callers.emplace_back([&, caller] {
      for (int call = 0; call < kCalls; ++call) {
        // One record of its own and one that every caller brings.
        const std::string number = std::to_string(call);
        const Result<Appended> appended =
            append(*journal_, {record("own-" + std::to_string(caller) + "-" + number), record("shared-" + number)});
        ASSERT_TRUE(appended);
        accepted += appended->accepted;
        duplicates += appended->duplicates;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();

  EXPECT_EQ(accepted, kCallers * kCalls + kCalls);
  EXPECT_EQ(duplicates, (kCallers - 1) * kCalls);
  const std::vector<StoredRecord> seen = sink.wait_for(kCallers * kCalls + kCalls);
  Strings bytes = bytes_of(seen);
  std::ranges::sort(bytes);
  EXPECT_EQ(std::ranges::adjacent_find(bytes), bytes.end());
  EXPECT_EQ(bytes.size(), std::size_t{kCallers * kCalls + kCalls});
  for (std::size_t i = 0; i < seen.size(); ++i) {
    ASSERT_TRUE(seen[i].position.text.ends_with("." + std::to_string(i + 1)));
  }
}

TEST_F(SqliteJournalTest, ACompletionMayAppend) {
  RecordingSink& sink = new_sink();
  start(sink);
  Answer<Appended> second;
  journal_->append({record("a")}, [&](Result<Appended> first) {
    ASSERT_TRUE(first);
    journal_->append({record("b")}, second.done());
  });
  EXPECT_TRUE(second.wait());
  EXPECT_EQ(sink.wait_for(2).size(), 2u);
}

TEST_F(SqliteJournalTest, AQueueAtItsBoundRefusesOnTheCallersThread) {
  options_.queue.append_records_max = 2;
  start(holding_sink_);
  ASSERT_TRUE(append(*journal_, {record("a")}));
  holding_sink_.wait_until_holding();
  Answer<Appended> b = begin_append(*journal_, {record("b")});
  Answer<Appended> c = begin_append(*journal_, {record("c")});
  std::thread::id refused_on;
  ErrorKind kind = ErrorKind::internal;
  journal_->append({record("d")}, [&](Result<Appended> result) {
    refused_on = std::this_thread::get_id();
    kind = result.error().kind;
  });
  EXPECT_EQ(refused_on, std::this_thread::get_id());
  EXPECT_EQ(kind, ErrorKind::full);
  EXPECT_TRUE(metrics_say("carillon_journal_appends_total{outcome=\"full\",where=\"queue\"} 1"));

  holding_sink_.let_go();
  EXPECT_TRUE(b.wait());
  EXPECT_TRUE(c.wait());
  EXPECT_TRUE(append(*journal_, {record("d")}));
}

TEST_F(SqliteJournalTest, StoppingCommitsWhatWaits) {
  start(holding_sink_);
  ASSERT_TRUE(append(*journal_, {record("a")}));
  holding_sink_.wait_until_holding();
  std::vector<Answer<Appended>> waiting;
  waiting.reserve(100);
  for (int i = 0; i < 100; ++i) waiting.push_back(begin_append(*journal_, {record("w" + std::to_string(i))}));
  std::thread stopper([&] { journal_->stop(); });
  holding_sink_.let_go();
  stopper.join();
  for (Answer<Appended>& answer : waiting)
    EXPECT_TRUE(answer.wait() || answer.wait().error().kind == ErrorKind::unavailable);

  RecordingSink& after = new_sink();
  restart(after);
  EXPECT_EQ(after.wait_for(101).size(), 101u);
}

TEST_F(SqliteJournalTest, AFullDiskRefusesUntilThereIsSpaceAndFollowingGoesOn) {
  options_.upkeep_interval = milliseconds{0};
  RecordingSink& sink = new_sink(0);
  start(sink);
  ASSERT_TRUE(append(*journal_, {record("a")}));
  ASSERT_TRUE(sink.wait_until_full());
  disk_.be_full_from(0);
  const Result<Appended> refused = append(*journal_, {record("b")});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::full);
  EXPECT_TRUE(metrics_say("carillon_journal_appends_total{outcome=\"full\",where=\"journal\"} 1"));
  EXPECT_EQ(append(*journal_, {record("c")}).error().kind, ErrorKind::full);
  EXPECT_FALSE(journal_->is_writable());
  sink.make_room(100);
  journal_->sink_has_room();
  EXPECT_EQ(bytes_of(sink.wait_for(1)), (Strings{"bytes of a"}));

  disk_.heal();
  EXPECT_TRUE(becomes_writable());
  ASSERT_TRUE(append(*journal_, {record("b")}));
  EXPECT_EQ(bytes_of(sink.wait_for(2)), (Strings{"bytes of a", "bytes of b"}));
}

TEST_F(SqliteJournalTest, ADuplicateIsAnsweredOnAFullDisk) {
  RecordingSink& sink = new_sink();
  start(sink);
  ASSERT_TRUE(append(*journal_, {record("a")}));
  disk_.be_full_from(0);
  ASSERT_FALSE(append(*journal_, {record("b")}));
  EXPECT_EQ(append(*journal_, {record("a")})->duplicates, 1u);
  EXPECT_FALSE(journal_->is_writable());
}

TEST_F(SqliteJournalTest, DeadLettersWaitForTheDiskToHaveSpace) {
  options_.upkeep_interval = milliseconds{0};
  RecordingSink& sink = new_sink();
  start(sink);
  const Position position = fill(1, sink)[0];
  disk_.be_full_from(0);
  journal_->put_dead_letter({position, clock_.wall_now(), "missing", "", "bytes"});
  EXPECT_FALSE(append(*journal_, {record("b")}));
  disk_.heal();
  EXPECT_TRUE(becomes_writable());
  ASSERT_TRUE(append(*journal_, {record("b")}));
  EXPECT_EQ(dead_letters(*journal_, 10)->size(), 1u);
}

TEST_F(SqliteJournalTest, AFailedSyncIsTheEnd) {
  RecordingSink& sink = new_sink();
  start(sink);
  ASSERT_TRUE(append(*journal_, {record("a")}));
  ASSERT_EQ(sink.wait_for(1).size(), 1u);
  disk_.fail_sync_from(0);
  const Result<Appended> failed = append(*journal_, {record("b")});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, ErrorKind::unavailable);
  const Error fatal = fatal_.get_future().get();
  EXPECT_NE(fatal.message.find(folder_.file("journal.db")), std::string::npos) << fatal.message;
  EXPECT_FALSE(journal_->is_writable());

  const std::uint64_t operations = disk_.operations();
  EXPECT_EQ(append(*journal_, {record("c")}).error().kind, ErrorKind::unavailable);
  EXPECT_EQ(append(*journal_, {record("a")}).error().kind, ErrorKind::unavailable);
  EXPECT_EQ(dead_letters(*journal_, 1).error().kind, ErrorKind::unavailable);
  journal_->stop();
  EXPECT_EQ(disk_.operations(), operations) << "nothing is written after a failed sync";
  EXPECT_EQ(bytes_of(sink.wait_for(0)), (Strings{"bytes of a"}));

  RecordingSink& after = new_sink();
  restart(after);
  EXPECT_EQ(after.wait_for(1).front().bytes, "bytes of a");
}

TEST_F(SqliteJournalTest, AFailureAnswersEverythingThatWaits) {
  start(holding_sink_);
  ASSERT_TRUE(append(*journal_, {record("a")}));
  holding_sink_.wait_until_holding();
  Answer<Appended> b = begin_append(*journal_, {record("b")});
  Answer<std::vector<DeadLetter>> list;
  journal_->list_dead_letters(1, list.done());
  disk_.fail_sync_from(0);
  holding_sink_.let_go();
  EXPECT_EQ(b.wait().error().kind, ErrorKind::unavailable);
  EXPECT_EQ(list.wait().error().kind, ErrorKind::unavailable);
}

TEST_F(SqliteJournalTest, RetentionRunsByItself) {
  options_.limits.retention_bytes = 200'000;
  options_.limits.trim_rows_max = 50;
  RecordingSink& sink = new_sink();
  start(sink);
  for (int i = 0; i < 50; ++i) {
    std::vector<Record> call;
    call.reserve(20);
    for (int j = 0; j < 20; ++j) call.push_back({std::to_string(i * 20 + j), std::string(1000, 'x')});
    ASSERT_TRUE(append(*journal_, std::move(call)));
  }
  EXPECT_EQ(sink.wait_for(1000).size(), 1000u);
  journal_->stop();
  RecordingSink& after = new_sink();
  restart(after);
  const std::vector<StoredRecord> kept = after.wait_for(150);
  EXPECT_GE(kept.size(), 150u);
  EXPECT_LE(kept.size(), 240u);
  EXPECT_TRUE(kept.back().position.text.ends_with(".1000"));
}

TEST_F(SqliteJournalTest, ASinkThatStaysFullMakesTheJournalRefuseRatherThanForget) {
  options_.limits.retention_bytes = 50'000;
  RecordingSink& sink = new_sink(0);
  start(sink);
  std::size_t accepted = 0;
  Result<Appended> last = Appended{};
  while (accepted < 1000 && (last = append(*journal_, {{std::to_string(accepted), std::string(1000, 'x')}})))
    ++accepted;
  ASSERT_FALSE(last);
  EXPECT_EQ(last.error().kind, ErrorKind::full);
  EXPECT_LT(accepted, 70u);

  sink.make_room(1000);
  journal_->sink_has_room();
  EXPECT_EQ(sink.wait_for(accepted).size(), accepted);
  EXPECT_TRUE(becomes_writable());
}

TEST_F(SqliteJournalTest, DeadLettersOutliveTheProcess) {
  RecordingSink& sink = new_sink();
  start(sink);
  const std::vector<Position> at = fill(2, sink);
  journal_->put_dead_letter({at[0], clock_.wall_now(), "missing", "/payload", "bytes"});
  journal_->put_dead_letter({at[1], clock_.wall_now(), "missing", "/payload", "bytes"});
  ASSERT_TRUE(remove_dead_letter(*journal_, at[0]));
  restart(sink);
  const Result<std::vector<DeadLetter>> letters = dead_letters(*journal_, 10);
  ASSERT_EQ(letters->size(), 1u);
  EXPECT_EQ(letters->front().position, at[1]);
}

TEST_F(SqliteJournalTest, AStartThatFailsSaysWhyAndRefusesCalls) {
  write_file(folder_.file("journal.db"), "not a journal");
  journal_ = std::make_unique<SqliteJournal>(std::move(options_), clock_, registry_);
  RecordingSink& sink = new_sink();
  const Result<> started = journal_->start(sink);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().kind, ErrorKind::corrupt);
  EXPECT_EQ(append(*journal_, {record("a")}).error().kind, ErrorKind::unavailable);
  journal_->sink_has_room();
  EXPECT_FALSE(journal_->has_caught_up());
  EXPECT_EQ(read_file(folder_.file("journal.db")), "not a journal");
}

TEST_F(SqliteJournalTest, CountsWhatItDoes) {
  RecordingSink& sink = new_sink();
  start(sink);
  ASSERT_TRUE(append(*journal_, {record("a"), record("b"), record("a")}));
  ASSERT_FALSE(append(*journal_, {{"a", "other"}}));
  journal_->stop();
  EXPECT_TRUE(metrics_say("carillon_journal_appends_total{outcome=\"ok\",where=\"journal\"} 1"));
  EXPECT_TRUE(metrics_say("carillon_journal_appends_total{outcome=\"conflict\",where=\"journal\"} 1"));
  EXPECT_TRUE(metrics_say("carillon_journal_records_total{result=\"accepted\"} 2"));
  EXPECT_TRUE(metrics_say("carillon_journal_records_total{result=\"duplicate\"} 1"));
  EXPECT_TRUE(metrics_say("carillon_journal_last_sequence 2"));
  EXPECT_TRUE(metrics_say("carillon_journal_low_sequence 1"));
  EXPECT_TRUE(metrics_say("carillon_journal_writable 0")) << registry_.text();
}

TEST_F(SqliteJournalTest, CountsWhatItKeepsAndLoses) {
  RecordingSink& first = new_sink();
  start(first);
  ASSERT_TRUE(append(*journal_, {{"a", "order a 1"}, {"b", "order b 1"}, {"c", "order c 1"}, {"d", "other"}}));
  ASSERT_EQ(first.wait_for(4).size(), 4u);
  journal_->stop();
  clock_.advance(hours{25});
  options_.upkeep_interval = milliseconds{0};
  options_.limits.kept.rows_max = 1;
  RecordingSink& second = new_sink();
  restart(second);
  ASSERT_EQ(second.wait_for(4).size(), 4u);
  journal_->stop();
  EXPECT_TRUE(metrics_say("carillon_journal_trimmed_records_total 4"));
  EXPECT_TRUE(metrics_say("carillon_journal_kept_records 1"));
  EXPECT_TRUE(metrics_say("carillon_journal_kept_lost_total 2"));
  RecordingSink& third = new_sink();
  restart(third);
  EXPECT_EQ(bytes_of(third.wait_for(1)), (Strings{"order c 1"}));
}

TEST_F(SqliteJournalTest, ADeadLetterOfAnotherLogIsNotTaken) {
  RecordingSink& sink = new_sink();
  start(sink);
  fill(1, sink);
  for (const char* position : {"m1.1", "p.1", "j0.1", ""}) {
    journal_->put_dead_letter({Position{position}, clock_.wall_now(), "missing", "", "bytes"});
  }
  EXPECT_TRUE(dead_letters(*journal_, 10)->empty());
  EXPECT_TRUE(metrics_say("carillon_journal_dead_letters_lost_total 4")) << registry_.text();
}

}  // namespace
}  // namespace carillon::eventlog
