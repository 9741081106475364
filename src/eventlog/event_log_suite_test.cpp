// What every event log does, whatever is behind it: one suite over all of them.

#include <gtest/gtest.h>

#include <memory>
#include <string>
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

struct MemoryWorld {
  SystemClock clock;
  std::unique_ptr<EventLog> log = std::make_unique<MemoryLog>(clock);
};

struct JournalWorld {
  SystemClock clock;
  telemetry::Registry registry;
  TempFolder folder;
  std::unique_ptr<EventLog> log =
      std::make_unique<SqliteJournal>(SqliteJournal::Options{.path = folder.file("journal.db")}, clock, registry);
};

template <class World>
class EventLogSuite : public testing::Test {
 protected:
  EventLog& log() { return *world_.log; }
  RecordingSink& sink() { return sink_; }
  void start() { ASSERT_TRUE(log().start(sink_, milliseconds{0})); }

 private:
  RecordingSink sink_;
  World world_;
};

using Worlds = testing::Types<MemoryWorld, JournalWorld>;
TYPED_TEST_SUITE(EventLogSuite, Worlds);

DeadLetter letter_at(const std::string& position) {
  return {Position{position}, WallTime(milliseconds{7}), "not_json", "at byte 0", "bytes of " + position};
}

Strings positions_of(const std::vector<DeadLetter>& letters) {
  Strings positions;
  for (const DeadLetter& letter : letters) positions.push_back(letter.position.text);
  return positions;
}

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
  for (const char* position : {"p.1", "p.2", "p.3", "p.2"}) this->log().put_dead_letter(letter_at(position));

  const Result<std::vector<DeadLetter>> all = dead_letters(this->log(), 10);
  ASSERT_TRUE(all);
  EXPECT_EQ(positions_of(*all), (Strings{"p.3", "p.2", "p.1"}));
  const DeadLetter& oldest = all->back();
  const DeadLetter expected = letter_at("p.1");
  EXPECT_EQ(oldest.at, expected.at);
  EXPECT_EQ(oldest.reason, expected.reason);
  EXPECT_EQ(oldest.detail, expected.detail);
  EXPECT_EQ(oldest.bytes, expected.bytes);
  EXPECT_EQ(positions_of(*dead_letters(this->log(), 2)), (Strings{"p.3", "p.2"}));
}

TYPED_TEST(EventLogSuite, ForgetsADeadLetterOnce) {
  this->start();
  this->log().put_dead_letter(letter_at("p.1"));
  this->log().put_dead_letter(letter_at("p.2"));
  EXPECT_TRUE(remove_dead_letter(this->log(), Position{"p.1"}));
  EXPECT_EQ(positions_of(*dead_letters(this->log(), 10)), (Strings{"p.2"}));
  const Result<> again = remove_dead_letter(this->log(), Position{"p.1"});
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

}  // namespace
}  // namespace carillon::eventlog
