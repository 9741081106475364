// The log on a broker in memory, where one can choose what goes wrong.

#include "eventlog/broker_log.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "eventlog/memory_broker_world.hpp"

namespace carillon::eventlog {
namespace {

TEST(BrokerLog, IsFullWhileTheBrokerHasNoRoomAndThenGoesOn) {
  RecordingSink sink;
  MemoryBrokerWorld world;
  ASSERT_TRUE(world.log().start(sink));
  world.server().refuse_appends(Error{ErrorKind::full, "no space"});
  EXPECT_EQ(append(world.log(), {{"a", "A"}}).error().kind, ErrorKind::full);
  EXPECT_FALSE(world.log().is_writable());
  world.server().refuse_appends(std::nullopt);
  EXPECT_TRUE(comes_true([&] { return append(world.log(), {{"b", "B"}}).has_value(); }));
  EXPECT_TRUE(world.log().is_writable());
  EXPECT_EQ(bytes_of(sink.wait_for(1)), (Strings{"B"}));
}

TEST(BrokerLog, DoesNotWaitAtStartForWhatWaitingDoesNotMend) {
  RecordingSink sink;
  MemoryBrokerWorld world;
  world.server().refuse_connections(Error{ErrorKind::denied, "wrong password"});
  const Result<> started = world.log().start(sink);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().kind, ErrorKind::denied);
  EXPECT_EQ(started.error().message, "wrong password");
  EXPECT_EQ(append(world.log(), {{"a", "A"}}).error().kind, ErrorKind::unavailable);
}

TEST(BrokerLog, TakesARepeatOfACallWhoseAnswerWasLostForOne) {
  RecordingSink sink;
  MemoryBrokerWorld world;
  ASSERT_TRUE(world.log().start(sink));
  world.server().lose_next_answer();
  EXPECT_EQ(append(world.log(), {{"a", "A"}}).error().kind, ErrorKind::unavailable);
  ASSERT_EQ(bytes_of(sink.wait_for(1)), (Strings{"A"}));
  Result<Appended> again = fail(ErrorKind::unavailable, "");
  EXPECT_TRUE(comes_true([&] {
    again = append(world.log(), {{"a", "A"}});
    return again.has_value();
  }));
  EXPECT_EQ(again->duplicates, 1u);
  EXPECT_TRUE(append(world.log(), {{"b", "B"}}));
  EXPECT_EQ(bytes_of(sink.wait_for(2)), (Strings{"A", "B"}));
}

TEST(BrokerLog, AnswersInTimeAndHandsOverLaterWhatABrokerAnswersTooLate) {
  RecordingSink sink;
  MemoryBrokerWorld world;
  ASSERT_TRUE(world.log().start(sink));
  // What the log writes of itself when it starts has been answered by then.
  ASSERT_TRUE(append(world.log(), {{"first", "First"}}));
  ASSERT_EQ(bytes_of(sink.wait_for(1)), (Strings{"First"}));
  world.server().hold_answers();
  Answer<Appended> late = begin_append(world.log(), {{"a", "A"}});
  EXPECT_TRUE(world.server().wait_until_holding());
  EXPECT_EQ(late.wait().error().kind, ErrorKind::unavailable);
  EXPECT_EQ(sink.wait_for(0).size(), 1u);
  world.server().give_answers();
  EXPECT_EQ(bytes_of(sink.wait_for(2)), (Strings{"First", "A"}));
}

TEST(BrokerLog, FollowsTheLanesThatAreAdded) {
  RecordingSink sink;
  LanedBrokerWorld world;
  world.put("old");
  ASSERT_TRUE(world.log().start(sink));
  const Position before = sink.wait_for(1).at(0).position;
  EXPECT_EQ(place_of(before).lanes(), 3u);
  world.server().grow(5);
  world.server().put("new", 4);
  const std::vector<StoredRecord> seen = sink.wait_for(2);
  ASSERT_EQ(bytes_of(seen), (Strings{"old", "new"}));
  EXPECT_EQ(seen[1].lane, 4u);
  EXPECT_EQ(place_of(seen[1].position).lanes(), 5u);
  EXPECT_TRUE(place_of(seen[1].position).covers(place_of(before)));
  EXPECT_FALSE(world.node().has_gap());
  world.log().stop();
}

TEST(BrokerLog, HandsOverEachTimeWhatAProducerRepeats) {
  RecordingSink sink;
  MemoryBrokerWorld world;
  ASSERT_TRUE(world.log().start(sink));
  ASSERT_TRUE(append(world.log(), {{"a", "A"}}));
  world.server().repeat_last();
  // Which of them is delivered is for the duplicate filter; the log keeps its positions.
  const std::vector<StoredRecord> seen = sink.wait_for(2);
  EXPECT_EQ(bytes_of(seen), (Strings{"A", "A"}));
  EXPECT_NE(seen.at(0).position, seen.at(1).position);
  world.log().stop();
}

}  // namespace
}  // namespace carillon::eventlog
