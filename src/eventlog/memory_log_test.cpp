#include "eventlog/memory_log.hpp"

#include <gtest/gtest.h>

#include "eventlog/log_witness.hpp"

namespace carillon::eventlog {
namespace {

TEST(MemoryLog, IsReadAgainFromItsOldestRecordAfterAStop) {
  ManualClock clock;
  MemoryLog log(clock);
  log.put_foreign("foreign");
  RecordingSink first;
  ASSERT_TRUE(log.start(first));
  ASSERT_TRUE(append(log, {{"a", "A"}}));
  log.stop();
  EXPECT_FALSE(append(log, {{"b", "B"}}));
  RecordingSink second;
  ASSERT_TRUE(log.start(second));
  EXPECT_TRUE(log.has_caught_up());
  EXPECT_EQ(append(log, {{"a", "A"}})->duplicates, 1u);
  EXPECT_EQ(bytes_of(first.wait_for(2)), (std::vector<std::string>{"foreign", "A"}));
  EXPECT_EQ(bytes_of(second.wait_for(2)), (std::vector<std::string>{"foreign", "A"}));
}

TEST(MemoryLog, HasNotCaughtUpBeforeTheSinkTookWhatWasThere) {
  ManualClock clock;
  MemoryLog log(clock);
  log.put_foreign("one");
  RecordingSink sink(0);
  ASSERT_TRUE(log.start(sink));
  EXPECT_FALSE(log.has_caught_up());
  sink.make_room(1);
  log.sink_has_room();
  EXPECT_TRUE(log.has_caught_up());
}

TEST(MemoryLog, RefusesAppendsAsLongAsItIsTold) {
  ManualClock clock;
  MemoryLog log(clock);
  RecordingSink sink;
  ASSERT_TRUE(log.start(sink));
  log.refuse_appends(Error{ErrorKind::full, "no space"});
  EXPECT_FALSE(log.is_writable());
  EXPECT_EQ(append(log, {{"a", "A"}}).error().kind, ErrorKind::full);
  log.refuse_appends(std::nullopt);
  EXPECT_TRUE(append(log, {{"a", "A"}}));
  EXPECT_EQ(bytes_of(sink.wait_for(1)), (std::vector<std::string>{"A"}));
}

}  // namespace
}  // namespace carillon::eventlog
