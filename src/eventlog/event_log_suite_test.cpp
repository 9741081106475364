// What every event log does, whatever is behind it: one suite over all of them.

#include <gtest/gtest.h>

#include <cstdint>
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
  inline static std::uint32_t epoch = 0;
  SystemClock clock;
  std::unique_ptr<EventLog> log = std::make_unique<MemoryLog>(clock, ++epoch);
};

struct JournalWorld {
  SystemClock clock;
  telemetry::Registry registry;
  TempFolder folder;
  std::unique_ptr<EventLog> log =
      std::make_unique<SqliteJournal>(SqliteJournal::Options{.path = folder.file("journal.db")}, clock, registry);
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
  EventLog& log() { return *world_.log; }
  RecordingSink& sink() { return sink_; }
  void start() { ASSERT_TRUE(log().start(sink_)); }
  // Appends so many records and says where they are.
  std::vector<Position> fill(std::size_t count) {
    std::vector<Record> call;
    for (std::size_t i = 0; i < count; ++i) call.push_back({"fill-" + std::to_string(i), "bytes"});
    EXPECT_TRUE(append(log(), std::move(call)));
    return positions_of(sink_.wait_for(count));
  }

 private:
  RecordingSink sink_;
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
  EXPECT_EQ(this->log().locate(origin.position.text), origin.ordinal);
  Ordinal last = origin.ordinal;
  for (int i = 0; i < 10; ++i) {
    // Already when the caller is told, which may be before the sink is.
    const Result<Appended> appended = append(this->log(), {{"id-" + std::to_string(i), "bytes"}});
    EXPECT_GT(this->log().locate(appended->position.text).value_or(0), last);
    last = this->log().locate(appended->position.text).value_or(0);
  }
  Ordinal before = origin.ordinal;
  for (const StoredRecord& record : this->sink().wait_for(10)) {
    EXPECT_GT(record.ordinal, before);
    EXPECT_EQ(this->log().locate(record.position.text), record.ordinal);
    EXPECT_FALSE(record.is_kept);
    before = record.ordinal;
  }
  EXPECT_EQ(before, last);
}

TYPED_TEST(EventLogSuite, SaysWhatIsNoPositionOfIts) {
  this->start();
  const std::string last = this->fill(3).back().text;
  TypeParam other;
  RecordingSink others_sink;
  ASSERT_TRUE(other.log->start(others_sink));
  ASSERT_TRUE(append(*other.log, {{"a", "A"}}));
  const std::string others = others_sink.wait_for(1)[0].position.text;
  EXPECT_EQ(this->log().locate(others), std::unexpected(GapReason::epoch));

  const std::string future = last.substr(0, last.find('.')) + ".4";
  const std::string texts[] = {"",
                               "x",
                               future,
                               last + "0",
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
  other.log->stop();
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

}  // namespace
}  // namespace carillon::eventlog
