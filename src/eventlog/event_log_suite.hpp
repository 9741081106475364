#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "eventlog/event_log.hpp"
#include "eventlog/log_witness.hpp"

// For tests: what every event log does, whatever is behind it, as one suite over all of them. A world is a log on its
// storage, made anew and empty:
//   static void prepare();   fails or skips the test where there cannot be such a world
//   EventLog& log();         not started
//   void reopen();           stops the log; log() is one that comes back to the same storage, not started
namespace carillon::eventlog {

using Strings = std::vector<std::string>;

inline DeadLetter letter_at(const Position& position) {
  return {position, WallTime(milliseconds{7}), "not_json", "at byte 0", "bytes of " + position.text};
}

template <class Positioned>
std::vector<Position> positions_of(const std::vector<Positioned>& all) {
  std::vector<Position> positions;
  for (const Positioned& each : all) positions.push_back(each.position);
  return positions;
}

// Records of one key, for a log of several lanes keeps the order of those only.
inline std::vector<Record> in_one_lane(std::vector<Record> records) {
  for (Record& record : records) record.key = "key";
  return records;
}

template <class World>
class EventLogSuite : public testing::Test {
 protected:
  void SetUp() override {
    World::prepare();
    if (IsSkipped() || HasFatalFailure()) return;
    world_.emplace();
  }

  World& world() { return *world_; }
  EventLog& log() { return world_->log(); }
  RecordingSink& sink() { return *sink_; }
  void start() {
    sink_->settle_with(log());
    const Result<> started = log().start(*sink_);
    ASSERT_TRUE(started) << started.error().message;
  }
  // As a node that comes back: with another sink.
  void restart() {
    world_->reopen();
    sink_ = std::make_unique<RecordingSink>();
    start();
    EXPECT_TRUE(comes_true([&] { return log().has_caught_up(); }));
  }
  Result<Appended> append(std::vector<Record> records) {
    return eventlog::append(log(), in_one_lane(std::move(records)));
  }
  // Appends records with these bytes, which are their ids as well, and returns when the sink has them.
  void add(const Strings& bytes) {
    std::vector<Record> call;
    for (const std::string& each : bytes) call.push_back({each, each});
    const std::size_t before = sink_->wait_for(0).size();
    const Result<Appended> appended = append(std::move(call));
    ASSERT_TRUE(appended) << appended.error().message;
    ASSERT_EQ(sink_->wait_for(before + bytes.size()).size(), before + bytes.size());
  }
  // Appends so many records and says where they are.
  std::vector<Position> fill(std::size_t count) {
    Strings bytes;
    for (std::size_t i = 0; i < count; ++i) bytes.push_back("fill-" + std::to_string(i));
    add(bytes);
    return positions_of(sink_->wait_for(0));
  }
  [[nodiscard]] Place located(const Position& position) {
    const auto place = log().locate(position.text);
    EXPECT_TRUE(place) << position.text;
    return place.value_or(Place());
  }
  // The answer to a repeat names the record; in a log of several lanes, with what else the node had read by then.
  void expect_at(const Position& position, const StoredRecord& record) {
    const Place place = located(position);
    EXPECT_TRUE(place.covers(record.lane, record.offset));
    if (place.lanes() == 1) EXPECT_EQ(place, located(record.position));
  }

 private:
  std::unique_ptr<RecordingSink> sink_ = std::make_unique<RecordingSink>();  // outlives the log
  std::optional<World> world_;
};

TYPED_TEST_SUITE_P(EventLogSuite);

TYPED_TEST_P(EventLogSuite, HandsOverWhatWasAppendedInOrderWithItsPosition) {
  this->start();
  const Result<Appended> first = this->append({{"a", "A"}});
  const Result<Appended> second = this->append({{"b", "B"}, {"c", "C"}});
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->accepted, 1u);
  EXPECT_EQ(second->accepted, 2u);

  const std::vector<StoredRecord> seen = this->sink().wait_for(3);
  EXPECT_EQ(bytes_of(seen), (Strings{"A", "B", "C"}));
  EXPECT_EQ(this->located(seen[0].position), this->located(first->position));
  EXPECT_EQ(this->located(seen[2].position), this->located(second->position));
  EXPECT_NE(seen[0].position, seen[1].position);
  for (const StoredRecord& record : seen) EXPECT_TRUE(is_position(record.position.text));
}

TYPED_TEST_P(EventLogSuite, LocatesWhatItHasGivenOut) {
  ASSERT_FALSE(this->log().locate("anything"));
  this->start();
  const EventLog::Origin origin = this->log().origin();
  EXPECT_EQ(this->log().locate(origin.position.text), place_of(origin.position));
  Place last = place_of(origin.position);
  for (int i = 0; i < 10; ++i) {
    // Already when the caller is told, which may be before the sink is.
    const Result<Appended> appended = this->append({{"id-" + std::to_string(i), "bytes"}});
    ASSERT_TRUE(appended);
    const Place place = this->located(appended->position);
    EXPECT_TRUE(place.covers(last) && !last.covers(place));
    last = place;
  }
  Place passed = place_of(origin.position);
  Ordinal before = 0;
  for (const StoredRecord& record : this->sink().wait_for(10)) {
    EXPECT_GT(record.ordinal, before);
    EXPECT_FALSE(passed.covers(record.lane, record.offset));
    passed.pass(record.lane, record.offset);
    EXPECT_EQ(this->located(record.position), passed);
    EXPECT_FALSE(record.is_kept);
    before = record.ordinal;
  }
  EXPECT_EQ(passed, last);
}

TYPED_TEST_P(EventLogSuite, TellsHowFarItIs) {
  EXPECT_FALSE(has_reached(this->log(), Place()));
  this->start();
  const Place origin = place_of(this->log().origin().position);
  EXPECT_TRUE(has_reached(this->log(), origin));
  const Place last = place_of(this->fill(3).back());
  EXPECT_TRUE(has_reached(this->log(), last));
  for (std::size_t lane = 0; lane <= last.lanes(); ++lane) {
    Place beyond = last;
    beyond.pass(lane, {last.at(lane).high + 1, 1});
    EXPECT_FALSE(has_reached(this->log(), beyond)) << lane;
  }
}

TYPED_TEST_P(EventLogSuite, SaysWhatIsNoPositionOfIts) {
  this->start();
  const std::string last = this->fill(3).back().text;
  RecordingSink others_sink;
  TypeParam other;
  ASSERT_TRUE(other.log().start(others_sink));
  ASSERT_TRUE(append(other.log(), in_one_lane({{"a", "A"}})));
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

TYPED_TEST_P(EventLogSuite, GoesOnFromAnyPositionAfterARestart) {
  this->start();
  const std::vector<Position> before = this->fill(20);
  this->restart();
  const std::vector<StoredRecord> again = this->sink().wait_for(20);
  ASSERT_EQ(again.size(), 20u);
  for (std::size_t i = 0; i < before.size(); ++i) {
    const Place place = this->located(before[i]);
    EXPECT_EQ(place, this->located(again[i].position));
    EXPECT_TRUE(has_reached(this->log(), place));
    const auto is_after = [&](const StoredRecord& record) { return !place.covers(record.lane, record.offset); };
    EXPECT_EQ(std::ranges::count_if(again, is_after), static_cast<std::ptrdiff_t>(before.size() - i - 1));
  }
  this->add({"another"});
  EXPECT_EQ(bytes_of(this->sink().wait_for(21)).back(), "another");
}

TYPED_TEST_P(EventLogSuite, KeepsTheOrderOfEachKey) {
  this->start();
  std::map<std::string, Strings> expected;
  for (int call = 0; call < 20; ++call) {
    std::vector<Record> records;
    for (int i = 0; i < 10; ++i) {
      const std::string key = "user-" + std::to_string(i % 7);
      const std::string id = std::to_string(call) + "-" + std::to_string(i);
      expected[key].push_back(key + " " + id);
      records.push_back({id, expected[key].back(), key});
    }
    ASSERT_TRUE(append(this->log(), std::move(records)));
  }
  std::map<std::string, Strings> seen;
  for (const std::string& bytes : bytes_of(this->sink().wait_for(200))) {
    seen[bytes.substr(0, bytes.find(' '))].push_back(bytes);
  }
  EXPECT_EQ(seen, expected);
}

TYPED_TEST_P(EventLogSuite, CountsARepeatedRecordAndDoesNotDeliverItAgain) {
  this->start();
  const Result<Appended> first = this->append({{"a", "A"}, {"b", "B"}});
  const Result<Appended> again = this->append({{"a", "A"}});
  const Result<Appended> mixed = this->append({{"c", "C"}, {"c", "C"}, {"b", "B"}});
  ASSERT_TRUE(first && again && mixed);

  EXPECT_EQ(again->accepted, 0u);
  EXPECT_EQ(again->duplicates, 1u);
  EXPECT_EQ(mixed->accepted, 1u);
  EXPECT_EQ(mixed->duplicates, 2u);
  ASSERT_TRUE(this->append({{"d", "D"}}));
  const std::vector<StoredRecord> seen = this->sink().wait_for(4);
  EXPECT_EQ(bytes_of(seen), (Strings{"A", "B", "C", "D"}));
  this->expect_at(again->position, seen[0]);
  this->expect_at(mixed->position, seen[1]);
}

TYPED_TEST_P(EventLogSuite, RefusesTheWholeCallWhenOneIdHasOtherContent) {
  this->start();
  ASSERT_TRUE(this->append({{"a", "A"}}));
  const Result<Appended> stored = this->append({{"x", "X"}, {"a", "other"}, {"y", "Y"}});
  const Result<Appended> within = this->append({{"z", "Z"}, {"z", "other"}});
  ASSERT_FALSE(stored || within);
  EXPECT_EQ(stored.error().kind, ErrorKind::conflict);
  EXPECT_NE(stored.error().message.find(" a "), std::string::npos) << stored.error().message;
  EXPECT_EQ(within.error().kind, ErrorKind::conflict);
  EXPECT_NE(within.error().message.find(" z "), std::string::npos) << within.error().message;

  // Nothing of them is there, not even their ids.
  const Result<Appended> after = this->append({{"x", "new"}, {"y", "new"}, {"z", "new"}});
  ASSERT_TRUE(after);
  EXPECT_EQ(after->accepted, 3u);
  EXPECT_EQ(bytes_of(this->sink().wait_for(4)), (Strings{"A", "new", "new", "new"}));
}

TYPED_TEST_P(EventLogSuite, KnowsTheIdsOfItsHistoryAfterARestart) {
  this->start();
  this->add({"a", "b"});
  this->restart();
  const Result<Appended> again = this->append({{"a", "a"}, {"c", "c"}});
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->duplicates, 1u);
  EXPECT_EQ(again->accepted, 1u);
  EXPECT_EQ(this->append({{"b", "other"}}).error().kind, ErrorKind::conflict);
  EXPECT_EQ(bytes_of(this->sink().wait_for(3)), (Strings{"a", "b", "c"}));
}

TYPED_TEST_P(EventLogSuite, OffersTheSameRecordsAgainToASinkThatWasFull) {
  this->sink().make_room(0);
  this->start();
  // One record: of two a log may have read the first alone, and reads no more before the sink has taken that.
  ASSERT_TRUE(this->append({{"a", "A"}}));
  ASSERT_TRUE(this->sink().wait_until_full());
  // The answer may need what follows it.
  Answer<Appended> last = begin_append(this->log(), in_one_lane({{"b", "B"}, {"c", "C"}}));
  EXPECT_TRUE(bytes_of(this->sink().wait_for(0)).empty());

  this->sink().make_room(100);
  this->log().sink_has_room();
  EXPECT_TRUE(last.wait());
  EXPECT_EQ(bytes_of(this->sink().wait_for(3)), (Strings{"A", "B", "C"}));
}

TYPED_TEST_P(EventLogSuite, KeepsOneDeadLetterPerPositionNewestFirst) {
  this->start();
  const std::vector<Position> at = this->fill(4);
  for (const std::size_t i : {0U, 1U, 3U, 3U}) this->log().put_dead_letter(letter_at(at[i]));

  const Result<std::vector<DeadLetter>> all = dead_letters(this->log(), 10);
  ASSERT_TRUE(all) << all.error().message;
  EXPECT_EQ(positions_of(*all), (std::vector{at[3], at[1], at[0]}));
  const DeadLetter& oldest = all->back();
  const DeadLetter expected = letter_at(at[0]);
  EXPECT_EQ(oldest.at, expected.at);
  EXPECT_EQ(oldest.reason, expected.reason);
  EXPECT_EQ(oldest.detail, expected.detail);
  EXPECT_EQ(oldest.bytes, expected.bytes);
  EXPECT_EQ(positions_of(*dead_letters(this->log(), 2)), (std::vector{at[3], at[1]}));
}

TYPED_TEST_P(EventLogSuite, ForgetsADeadLetterOnce) {
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

TYPED_TEST_P(EventLogSuite, ADeadLetterDoesNotComeBackWithTheLog) {
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
  EXPECT_EQ(this->log().origin().buried_up_to, this->located(at[2]));
  this->log().put_dead_letter(letter_at(at[3]));
  EXPECT_EQ(positions_of(*dead_letters(this->log(), 10)), (std::vector{at[3]}));
}

TYPED_TEST_P(EventLogSuite, RefusesACallWithoutRecords) {
  this->start();
  const Result<Appended> nothing = this->append({});
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().kind, ErrorKind::invalid);
}

TYPED_TEST_P(EventLogSuite, KeepsBytesAsTheyAre) {
  this->start();
  std::string all_bytes;
  for (int i = 0; i < 256; ++i) all_bytes.push_back(static_cast<char>(i));
  ASSERT_TRUE(this->append({{"a", all_bytes}, {"b", ""}, {"c", "\r\n"}}));
  EXPECT_EQ(bytes_of(this->sink().wait_for(3)), (Strings{all_bytes, "", "\r\n"}));
}

TYPED_TEST_P(EventLogSuite, TakesRecordsOfOneMebibyte) {
  this->start();
  const Strings long_ones{std::string(std::size_t{1} << 20, 'x'), std::string(std::size_t{1} << 20, 'y')};
  const Result<Appended> appended = this->append({{"x", long_ones[0]}, {"y", long_ones[1]}});
  ASSERT_TRUE(appended) << appended.error().message;
  EXPECT_TRUE(bytes_of(this->sink().wait_for(2)) == long_ones);
}

TYPED_TEST_P(EventLogSuite, RefusesEveryCallBeforeItStartsAndAfterItStops) {
  const auto expect_refusals = [&] {
    EXPECT_FALSE(this->log().is_writable());
    const Result<Appended> appended = this->append({{"a", "A"}});
    ASSERT_FALSE(appended);
    EXPECT_EQ(appended.error().kind, ErrorKind::unavailable);
    EXPECT_EQ(dead_letters(this->log(), 1).error().kind, ErrorKind::unavailable);
    EXPECT_EQ(remove_dead_letter(this->log(), Position{"p.1"}).error().kind, ErrorKind::unavailable);
  };
  expect_refusals();
  this->start();
  EXPECT_TRUE(this->log().is_writable());
  EXPECT_TRUE(comes_true([&] { return this->log().has_caught_up(); }));
  this->log().stop();
  this->log().stop();
  expect_refusals();
  EXPECT_TRUE(bytes_of(this->sink().wait_for(0)).empty());
}

REGISTER_TYPED_TEST_SUITE_P(EventLogSuite, HandsOverWhatWasAppendedInOrderWithItsPosition, LocatesWhatItHasGivenOut,
                            TellsHowFarItIs, SaysWhatIsNoPositionOfIts, GoesOnFromAnyPositionAfterARestart,
                            KeepsTheOrderOfEachKey, CountsARepeatedRecordAndDoesNotDeliverItAgain,
                            RefusesTheWholeCallWhenOneIdHasOtherContent, KnowsTheIdsOfItsHistoryAfterARestart,
                            OffersTheSameRecordsAgainToASinkThatWasFull, KeepsOneDeadLetterPerPositionNewestFirst,
                            ForgetsADeadLetterOnce, ADeadLetterDoesNotComeBackWithTheLog, RefusesACallWithoutRecords,
                            KeepsBytesAsTheyAre, TakesRecordsOfOneMebibyte,
                            RefusesEveryCallBeforeItStartsAndAfterItStops);

// Of a log that may be called by several threads at once.
template <class World>
class ConcurrentLogSuite : public EventLogSuite<World> {};

TYPED_TEST_SUITE_P(ConcurrentLogSuite);

TYPED_TEST_P(ConcurrentLogSuite, TakesManyAppendsAtOnceAndTheSameOnesOnlyOnce) {
  constexpr std::size_t kThreads = 4;
  constexpr std::size_t kCalls = 100;
  this->start();
  std::array<std::size_t, kThreads> accepted{};
  {
    std::vector<std::jthread> threads;
    for (std::size_t thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&, thread] {
        for (std::size_t call = 0; call < kCalls; ++call) {
          const std::string own = std::to_string(thread) + " " + std::to_string(call);
          const std::string shared = "all " + std::to_string(call);
          const Result<Appended> appended = this->append({{own, own}, {shared, shared}});
          if (appended) accepted[thread] += appended->accepted;
        }
      });
    }
  }
  const Strings seen = bytes_of(this->sink().wait_for((kThreads + 1) * kCalls));
  EXPECT_EQ(accepted[0] + accepted[1] + accepted[2] + accepted[3], (kThreads + 1) * kCalls);
  std::map<std::string, std::size_t> next;
  for (const std::string& bytes : seen) {
    const std::size_t space = bytes.find(' ');
    EXPECT_EQ(std::stoul(bytes.substr(space + 1)), next[bytes.substr(0, space)]++) << bytes;
  }
  EXPECT_EQ(next.size(), kThreads + 1);
}

TYPED_TEST_P(ConcurrentLogSuite, AnswersWhatIsUnderWayWhenItStops) {
  this->start();
  std::vector<Answer<Appended>> answers;
  for (int i = 0; i < 100; ++i) {
    answers.push_back(begin_append(this->log(), in_one_lane({{std::to_string(i), std::to_string(i)}})));
  }
  this->log().stop();
  std::size_t acknowledged = 0;
  for (Answer<Appended>& answer : answers) {
    const Result<Appended> appended = answer.wait();
    acknowledged += appended ? 1 : 0;
    if (!appended) EXPECT_EQ(appended.error().kind, ErrorKind::unavailable);
  }
  this->restart();
  EXPECT_GE(this->sink().wait_for(acknowledged).size(), acknowledged);
}

REGISTER_TYPED_TEST_SUITE_P(ConcurrentLogSuite, TakesManyAppendsAtOnceAndTheSameOnesOnlyOnce,
                            AnswersWhatIsUnderWayWhenItStops);

}  // namespace carillon::eventlog
