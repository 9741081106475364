// What every event log does, whatever is behind it: one suite over all of them.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "eventlog/event_log.hpp"
#include "eventlog/log_witness.hpp"
#include "eventlog/memory_log.hpp"
#include "eventlog/sqlite_journal.hpp"
#include "eventlog/temp_folder.hpp"
#include "telemetry/metrics.hpp"

namespace carillon::eventlog {
namespace {

using Strings = std::vector<std::string>;

// A log on its storage, which can be left and opened again.
class MemoryWorld {
 public:
  EventLog& log() { return log_; }
  void reopen() { log_.stop(); }
  // What is due for retention has gone when the log is reopened.
  void retain(const std::vector<StoredRecord>& records) {
    for (const StoredRecord& record : records) {
      if (!record.is_kept && record.logged_at < clock.wall_now() - std::chrono::hours{24}) {
        log_.trim_before(record.ordinal + 1);
      }
    }
  }

  ManualClock clock;  // moved only while the log is not started

 private:
  inline static std::uint32_t epoch_ = 0;
  MemoryLog log_{clock, {.epoch = ++epoch_}};
};

class JournalWorld {
 public:
  EventLog& log() { return *log_; }
  void reopen() {
    log_.reset();
    log_ = make();
  }
  void retain(const std::vector<StoredRecord>& /*records*/) {}  // it does so by itself, before it stops

  ManualClock clock;

 private:
  std::unique_ptr<SqliteJournal> make() {
    return std::make_unique<SqliteJournal>(
        SqliteJournal::Options{.path = folder_.file("journal.db"), .upkeep_interval = milliseconds{0}}, clock,
        registry_);
  }

  telemetry::Registry registry_;
  TempFolder folder_;
  std::unique_ptr<SqliteJournal> log_ = make();
};

DeadLetter letter_at(const Position& position) {
  return {position, WallTime(milliseconds{7}), "not_json", "at byte 0", "bytes of " + position.text};
}

std::vector<Position> positions_of(const std::vector<DeadLetter>& letters) {
  std::vector<Position> positions;
  for (const DeadLetter& letter : letters) positions.push_back(letter.position);
  return positions;
}

std::vector<Position> positions_of(const std::vector<StoredRecord>& records) {
  std::vector<Position> positions;
  for (const StoredRecord& record : records) positions.push_back(record.position);
  return positions;
}

template <class World>
class EventLogSuite : public testing::Test {
 protected:
  EventLog& log() { return world_.log(); }
  RecordingSink& sink() { return *sink_; }
  void start() {
    sink_->settle_with(log());
    ASSERT_TRUE(log().start(*sink_));
  }
  // As a node that comes back: with another sink.
  void restart() {
    world_.reopen();
    sink_ = std::make_unique<RecordingSink>();
    start();
  }
  // So much time passes while the log is not followed, then what is too old leaves, and the log is started again.
  void restart_after(std::chrono::hours time) {
    world_.reopen();
    world_.clock.advance(time);
    restart();
    EXPECT_TRUE(catches_up());
    world_.retain(sink_->wait_for(0));
    restart();
    EXPECT_TRUE(catches_up());
  }
  [[nodiscard]] bool catches_up() {
    const auto deadline = std::chrono::steady_clock::now() + kWitnessPatience;
    while (!log().has_caught_up() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    return log().has_caught_up();
  }
  // Appends records with these bytes, which are their ids as well, and returns when the sink has them.
  void add(const Strings& bytes) {
    std::vector<Record> call;
    for (const std::string& each : bytes) call.push_back({each, each});
    const std::size_t before = sink_->wait_for(0).size();
    ASSERT_TRUE(append(log(), std::move(call)));
    ASSERT_EQ(sink_->wait_for(before + bytes.size()).size(), before + bytes.size());
  }
  // Appends so many records and says where they are.
  std::vector<Position> fill(std::size_t count) {
    Strings bytes;
    for (std::size_t i = 0; i < count; ++i) bytes.push_back("fill-" + std::to_string(i));
    add(bytes);
    return positions_of(sink_->wait_for(0));
  }
  // What the sink was offered: of the kept steps, and of the records.
  Strings offered(bool kept) {
    Strings bytes;
    for (const StoredRecord& record : sink_->wait_for(0)) {
      if (record.is_kept == kept) bytes.push_back(record.bytes);
    }
    return bytes;
  }

  std::unique_ptr<RecordingSink> sink_ = std::make_unique<RecordingSink>();  // outlives the log
  World world_;
};

using Worlds = testing::Types<MemoryWorld, JournalWorld>;
TYPED_TEST_SUITE(EventLogSuite, Worlds);

TYPED_TEST(EventLogSuite, HandsOverWhatWasAppendedInOrderWithItsPosition) {
  this->start();
  const Result<Appended> first = append(this->log(), {{"a", "A"}});
  const Result<Appended> second = append(this->log(), {{"b", "B"}, {"c", "C"}});
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->accepted, 1u);
  EXPECT_EQ(second->accepted, 2u);

  const std::vector<StoredRecord> seen = this->sink().wait_for(3);
  EXPECT_EQ(bytes_of(seen), (Strings{"A", "B", "C"}));
  EXPECT_EQ(seen[0].position, first->position);
  EXPECT_EQ(seen[2].position, second->position);
  EXPECT_NE(seen[0].position, seen[1].position);
  for (const StoredRecord& record : seen) EXPECT_TRUE(is_position(record.position.text));
}

TYPED_TEST(EventLogSuite, LocatesWhatItHasGivenOut) {
  ASSERT_FALSE(this->log().locate("anything"));
  this->start();
  const EventLog::Origin origin = this->log().origin();
  EXPECT_EQ(this->log().locate(origin.position.text), place_of(origin.position));
  Place last = place_of(origin.position);
  for (int i = 0; i < 10; ++i) {
    // Already when the caller is told, which may be before the sink is.
    const Result<Appended> appended = append(this->log(), {{"id-" + std::to_string(i), "bytes"}});
    const Place place = this->log().locate(appended->position.text).value_or(Place());
    EXPECT_TRUE(place.covers(last) && !last.covers(place));
    last = place;
  }
  Place passed = place_of(origin.position);
  Ordinal before = origin.ordinal;
  for (const StoredRecord& record : this->sink().wait_for(10)) {
    EXPECT_GT(record.ordinal, before);
    EXPECT_FALSE(passed.covers(record.lane, record.offset));
    passed.pass(record.lane, record.offset);
    EXPECT_EQ(this->log().locate(record.position.text), passed);
    EXPECT_FALSE(record.is_kept);
    before = record.ordinal;
  }
  EXPECT_EQ(passed, last);
}

TYPED_TEST(EventLogSuite, TellsHowFarItIs) {
  EXPECT_FALSE(has_reached(this->log(), Place()));
  this->start();
  const Place origin = place_of(this->log().origin().position);
  EXPECT_TRUE(has_reached(this->log(), origin));
  const Place last = place_of(this->fill(3).back());
  EXPECT_TRUE(has_reached(this->log(), last));
  Place beyond = last;
  beyond.pass(0, {last.at(0).high + 1});
  EXPECT_FALSE(has_reached(this->log(), beyond));
  Place elsewhere = last;
  elsewhere.pass(last.lanes(), {1});
  EXPECT_FALSE(has_reached(this->log(), elsewhere));
}

TYPED_TEST(EventLogSuite, SaysWhatIsNoPositionOfIts) {
  this->start();
  const std::string last = this->fill(3).back().text;
  TypeParam other;
  RecordingSink others_sink;
  ASSERT_TRUE(other.log().start(others_sink));
  ASSERT_TRUE(append(other.log(), {{"a", "A"}}));
  const std::string others = others_sink.wait_for(1)[0].position.text;
  EXPECT_EQ(this->log().locate(others), std::unexpected(GapReason::epoch));

  const std::string texts[] = {"",
                               "x",
                               last + "a",
                               last + "-0",
                               last + " ",
                               last + std::string(10'240, '0'),
                               "0" + last,
                               std::string(10'240, 'j'),
                               std::string(10'240, '\0'),
                               "1700000000000-0",
                               "other9.1"};
  for (const std::string& text : texts) {
    EXPECT_EQ(this->log().locate(text), std::unexpected(GapReason::unknown)) << text.substr(0, 60);
  }
  other.log().stop();
}

TYPED_TEST(EventLogSuite, CountsARepeatedRecordAndDoesNotDeliverItAgain) {
  this->start();
  const Result<Appended> first = append(this->log(), {{"a", "A"}, {"b", "B"}});
  const Result<Appended> again = append(this->log(), {{"a", "A"}});
  const Result<Appended> mixed = append(this->log(), {{"c", "C"}, {"c", "C"}, {"b", "B"}});
  ASSERT_TRUE(first && again && mixed);

  EXPECT_EQ(again->accepted, 0u);
  EXPECT_EQ(again->duplicates, 1u);
  EXPECT_EQ(mixed->accepted, 1u);
  EXPECT_EQ(mixed->duplicates, 2u);
  ASSERT_TRUE(append(this->log(), {{"d", "D"}}));
  const std::vector<StoredRecord> seen = this->sink().wait_for(4);
  EXPECT_EQ(bytes_of(seen), (Strings{"A", "B", "C", "D"}));
  EXPECT_EQ(again->position, seen[0].position);
  EXPECT_EQ(mixed->position, seen[1].position);
}

TYPED_TEST(EventLogSuite, RefusesTheWholeCallWhenOneIdHasOtherContent) {
  this->start();
  ASSERT_TRUE(append(this->log(), {{"a", "A"}}));
  const Result<Appended> stored = append(this->log(), {{"x", "X"}, {"a", "other"}, {"y", "Y"}});
  const Result<Appended> within = append(this->log(), {{"z", "Z"}, {"z", "other"}});
  ASSERT_FALSE(stored || within);
  EXPECT_EQ(stored.error().kind, ErrorKind::conflict);
  EXPECT_NE(stored.error().message.find(" a "), std::string::npos) << stored.error().message;
  EXPECT_EQ(within.error().kind, ErrorKind::conflict);
  EXPECT_NE(within.error().message.find(" z "), std::string::npos) << within.error().message;

  // Nothing of them is there, not even their ids.
  const Result<Appended> after = append(this->log(), {{"x", "new"}, {"y", "new"}, {"z", "new"}});
  ASSERT_TRUE(after);
  EXPECT_EQ(after->accepted, 3u);
  EXPECT_EQ(bytes_of(this->sink().wait_for(4)), (Strings{"A", "new", "new", "new"}));
}

TYPED_TEST(EventLogSuite, OffersTheSameRecordsAgainToASinkThatWasFull) {
  this->sink().make_room(0);
  this->start();
  ASSERT_TRUE(append(this->log(), {{"a", "A"}, {"b", "B"}}));
  ASSERT_TRUE(this->sink().wait_until_full());
  ASSERT_TRUE(append(this->log(), {{"c", "C"}}));
  EXPECT_TRUE(bytes_of(this->sink().wait_for(0)).empty());

  this->sink().make_room(100);
  this->log().sink_has_room();
  EXPECT_EQ(bytes_of(this->sink().wait_for(3)), (Strings{"A", "B", "C"}));
}

TYPED_TEST(EventLogSuite, KeepsOneDeadLetterPerPositionNewestFirst) {
  this->start();
  const std::vector<Position> at = this->fill(4);
  for (const std::size_t i : {0U, 1U, 3U, 3U}) this->log().put_dead_letter(letter_at(at[i]));

  const Result<std::vector<DeadLetter>> all = dead_letters(this->log(), 10);
  ASSERT_TRUE(all);
  EXPECT_EQ(positions_of(*all), (std::vector{at[3], at[1], at[0]}));
  const DeadLetter& oldest = all->back();
  const DeadLetter expected = letter_at(at[0]);
  EXPECT_EQ(oldest.at, expected.at);
  EXPECT_EQ(oldest.reason, expected.reason);
  EXPECT_EQ(oldest.detail, expected.detail);
  EXPECT_EQ(oldest.bytes, expected.bytes);
  EXPECT_EQ(positions_of(*dead_letters(this->log(), 2)), (std::vector{at[3], at[1]}));
}

TYPED_TEST(EventLogSuite, ForgetsADeadLetterOnce) {
  this->start();
  const std::vector<Position> at = this->fill(2);
  this->log().put_dead_letter(letter_at(at[0]));
  this->log().put_dead_letter(letter_at(at[1]));
  EXPECT_TRUE(remove_dead_letter(this->log(), at[0]));
  EXPECT_EQ(positions_of(*dead_letters(this->log(), 10)), (std::vector{at[1]}));
  const Result<> again = remove_dead_letter(this->log(), at[0]);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, ErrorKind::not_found);
}

TYPED_TEST(EventLogSuite, RefusesACallWithoutRecords) {
  this->start();
  const Result<Appended> nothing = append(this->log(), {});
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().kind, ErrorKind::invalid);
}

TYPED_TEST(EventLogSuite, KeepsBytesAsTheyAre) {
  this->start();
  std::string all_bytes;
  for (int i = 0; i < 256; ++i) all_bytes.push_back(static_cast<char>(i));
  ASSERT_TRUE(append(this->log(), {{"a", all_bytes}, {"b", ""}, {"c", std::string(900'000, 'x')}}));
  EXPECT_EQ(bytes_of(this->sink().wait_for(3)), (Strings{all_bytes, "", std::string(900'000, 'x')}));
}

TYPED_TEST(EventLogSuite, RefusesEveryCallBeforeItStartsAndAfterItStops) {
  const auto expect_refusals = [&] {
    EXPECT_FALSE(this->log().is_writable());
    const Result<Appended> appended = append(this->log(), {{"a", "A"}});
    ASSERT_FALSE(appended);
    EXPECT_EQ(appended.error().kind, ErrorKind::unavailable);
    EXPECT_EQ(dead_letters(this->log(), 1).error().kind, ErrorKind::unavailable);
    EXPECT_EQ(remove_dead_letter(this->log(), Position{"p.1"}).error().kind, ErrorKind::unavailable);
  };
  expect_refusals();
  this->start();
  EXPECT_TRUE(this->log().is_writable());
  EXPECT_TRUE(this->log().has_caught_up());
  this->log().stop();
  this->log().stop();
  expect_refusals();
  EXPECT_TRUE(bytes_of(this->sink().wait_for(0)).empty());
}

TYPED_TEST(EventLogSuite, IsFollowedFromItsOldestRecordAfterARestart) {
  this->start();
  this->add({"a", "b"});
  this->restart_after(std::chrono::hours{23});
  this->add({"c"});
  EXPECT_EQ(this->offered(false), (Strings{"a", "b", "c"}));
  EXPECT_EQ(this->log().origin().ordinal, 0u);

  this->restart_after(std::chrono::hours{2});
  EXPECT_EQ(this->offered(false), (Strings{"c"}));
  const StoredRecord first = this->sink().wait_for(1)[0];
  EXPECT_LT(this->log().origin().ordinal, first.ordinal);
  const Position before = this->log().origin().position;
  EXPECT_EQ(this->log().locate(before.text), place_of(before));
}

TYPED_TEST(EventLogSuite, TrimsNothingThatIsNotSettled) {
  this->start();
  this->add({"a", "b", "c"});
  this->world_.reopen();
  this->world_.clock.advance(std::chrono::hours{25});
  for (const std::size_t settled : {0U, 2U}) {
    RecordingSink sink;
    ASSERT_TRUE(this->log().start(sink));
    const std::vector<StoredRecord> seen = sink.wait_for(3);
    EXPECT_EQ(bytes_of(seen), (Strings{"a", "b", "c"}));
    if (settled != 0) this->log().settle({seen[settled - 1].ordinal, {}});
    this->world_.retain(seen);
    this->world_.reopen();
  }
  this->restart();
  EXPECT_EQ(bytes_of(this->sink().wait_for(1)), (Strings{"c"}));
}

TYPED_TEST(EventLogSuite, KeepsTheLastStepOfEachOrderThatItTrims) {
  this->start();
  this->add({"order a 1", "other", "order a 2", "order b 1", "another"});
  const std::vector<StoredRecord> before = this->sink().wait_for(5);
  this->restart_after(std::chrono::hours{25});
  EXPECT_EQ(this->offered(true), (Strings{"order a 2", "order b 1"}));
  EXPECT_EQ(this->offered(false), Strings{});
  EXPECT_EQ(this->log().origin().ordinal, before[4].ordinal);
  const std::vector<StoredRecord> kept = this->sink().wait_for(2);
  EXPECT_EQ(kept[0].position, before[2].position);
  EXPECT_EQ(kept[0].ordinal, before[2].ordinal);
  EXPECT_EQ(kept[0].logged_at, before[2].logged_at);
  EXPECT_EQ(this->log().locate(kept[1].position.text), place_of(before[3].position));

  // Still there after another start, before what came since; replaced when the order has moved on and that is trimmed.
  this->add({"order a 3"});
  this->restart();
  EXPECT_EQ(bytes_of(this->sink().wait_for(3)), (Strings{"order a 2", "order b 1", "order a 3"}));
  this->restart_after(std::chrono::hours{25});
  EXPECT_EQ(this->offered(true), (Strings{"order b 1", "order a 3"}));
}

TYPED_TEST(EventLogSuite, ForgetsAnOrderThatEndedLongerAgoThanRetention) {
  this->start();
  this->add({"order a 1", "order b 1", "order a end"});
  this->restart_after(std::chrono::hours{25});
  EXPECT_EQ(this->offered(true), (Strings{"order b 1", "order a end"}));
  this->add({"now"});
  // The log has no record yet that is longer after the end.
  this->restart_after(std::chrono::hours{24});
  EXPECT_EQ(this->offered(true), (Strings{"order b 1", "order a end"}));
  this->restart_after(std::chrono::hours{1});
  EXPECT_EQ(this->offered(true), (Strings{"order b 1"}));
}

TYPED_TEST(EventLogSuite, KnowsTheIdsOfWhatItKeeps) {
  this->start();
  this->add({"order a 1", "order a 2", "other"});
  const Position kept = this->sink().wait_for(3)[1].position;
  this->restart_after(std::chrono::hours{25});
  const Result<Appended> same = append(this->log(), {{"order a 2", "order a 2"}});
  ASSERT_TRUE(same);
  EXPECT_EQ(same->duplicates, 1u);
  EXPECT_EQ(same->position, kept);
  EXPECT_EQ(append(this->log(), {{"order a 2", "changed"}}).error().kind, ErrorKind::conflict);
  EXPECT_EQ(append(this->log(), {{"order a 1", "changed"}, {"other", "changed"}})->accepted, 2u);
}

TYPED_TEST(EventLogSuite, HasCaughtUpWhenTheSinkTookTheKeptStepsToo) {
  this->start();
  this->add({"order a 1"});
  this->restart_after(std::chrono::hours{25});
  this->world_.reopen();
  RecordingSink full(0);
  ASSERT_TRUE(this->log().start(full));
  ASSERT_TRUE(full.wait_until_full());
  EXPECT_FALSE(this->log().has_caught_up());
  full.make_room(1);
  this->log().sink_has_room();
  EXPECT_TRUE(this->catches_up());
  EXPECT_EQ(bytes_of(full.wait_for(1)), (Strings{"order a 1"}));
  this->world_.reopen();
}

TYPED_TEST(EventLogSuite, ADeadLetterDoesNotComeBackWithTheLog) {
  this->start();
  const std::vector<Position> at = this->fill(4);
  this->log().put_dead_letter(letter_at(at[0]));
  this->log().put_dead_letter(letter_at(at[2]));
  ASSERT_TRUE(remove_dead_letter(this->log(), at[0]));
  ASSERT_TRUE(remove_dead_letter(this->log(), at[2]));
  for (const bool restarted : {false, true}) {
    if (restarted) this->restart();
    for (const std::size_t i : {0U, 1U, 2U}) this->log().put_dead_letter(letter_at(at[i]));
    EXPECT_TRUE(dead_letters(this->log(), 10)->empty());
  }
  this->log().put_dead_letter(letter_at(at[3]));
  EXPECT_EQ(positions_of(*dead_letters(this->log(), 10)), (std::vector{at[3]}));
}

// Remembers every record, and says what a log must still hold.
class OrderModel {
 public:
  void saw(const std::vector<StoredRecord>& records) {
    for (const StoredRecord& record : records) all_[record.ordinal] = record;
  }
  // The last steps before `low` of the orders that a node knows when it has seen the log up to `seen`.
  [[nodiscard]] std::vector<Ordinal> steps_before(Ordinal low, Ordinal seen) const {
    std::map<std::string, Ordinal> orders;
    WallTime log_time;
    for (const auto& [ordinal, record] : all_) {
      if (ordinal <= seen) log_time = std::max(log_time, record.logged_at);
      if (ordinal >= low || !record.bytes.starts_with("order ")) continue;
      orders[record.bytes.substr(0, record.bytes.rfind(' '))] = ordinal;
    }
    std::vector<Ordinal> steps;
    for (const auto& [order, ordinal] : orders) {
      const StoredRecord& step = all_.at(ordinal);
      const bool is_over = step.bytes.ends_with("end") && step.logged_at < log_time - std::chrono::hours{24};
      if (!is_over) steps.push_back(ordinal);
    }
    std::ranges::sort(steps);
    return steps;
  }
  [[nodiscard]] std::vector<Ordinal> from(Ordinal low) const {
    std::vector<Ordinal> ordinals;
    for (auto each = all_.lower_bound(low); each != all_.end(); ++each) ordinals.push_back(each->first);
    return ordinals;
  }
  [[nodiscard]] const StoredRecord& at(Ordinal ordinal) const { return all_.at(ordinal); }

 private:
  std::map<Ordinal, StoredRecord> all_;
};

TYPED_TEST(EventLogSuite, ARestartFindsTheOrdersWhateverWasTrimmed) {
  std::mt19937 random(7);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same run every time
  OrderModel model;
  std::vector<int> open_orders;
  int made = 0;
  this->start();
  for (int round = 0; round < 60; ++round) {
    SCOPED_TRACE(round);
    Strings bytes;
    for (std::uint32_t count = random() % 12; count > 0; --count) {
      const std::string number = std::to_string(++made);
      if (random() % 3 == 0) open_orders.push_back(made);
      if (open_orders.empty() || random() % 4 == 0) {
        bytes.push_back("other " + number);
        continue;
      }
      const std::size_t which = random() % open_orders.size();
      const bool ends = random() % 3 == 0;
      bytes.push_back("order " + std::to_string(open_orders[which]) + " " + number + (ends ? "end" : ""));
      if (ends) open_orders.erase(open_orders.begin() + static_cast<std::ptrdiff_t>(which));
    }
    if (!bytes.empty()) this->add(bytes);
    model.saw(this->sink().wait_for(0));
    this->restart_after(std::chrono::hours{random() % 20});

    std::vector<Ordinal> kept;
    std::vector<Ordinal> records;
    for (const StoredRecord& record : this->sink().wait_for(0)) {
      (record.is_kept ? kept : records).push_back(record.ordinal);
      EXPECT_EQ(record.bytes, model.at(record.ordinal).bytes);
      EXPECT_EQ(record.position, model.at(record.ordinal).position);
    }
    const Ordinal low = this->log().origin().ordinal + 1;
    EXPECT_EQ(records, model.from(low));
    EXPECT_TRUE(std::ranges::includes(kept, model.steps_before(low, low))) << "an order is lost";
    EXPECT_TRUE(std::ranges::includes(model.steps_before(low, low - 1), kept)) << "an order stays for ever";
  }
}

}  // namespace
}  // namespace carillon::eventlog
