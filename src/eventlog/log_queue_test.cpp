#include "eventlog/log_queue.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace carillon::eventlog {
namespace {

constexpr std::chrono::nanoseconds kAtOnce{0};

AppendCall call_of(std::size_t records, std::size_t bytes_each) {
  AppendCall call;
  for (std::size_t i = 0; i < records; ++i) call.records.push_back({"", std::string(bytes_each, 'x')});
  return call;
}

ErrorKind push_error(LogQueue& queue, AppendCall call) {
  const Result<> pushed = queue.push(call);
  EXPECT_FALSE(pushed);
  return pushed ? ErrorKind::internal : pushed.error().kind;
}

void push(LogQueue& queue, AppendCall call) {
  EXPECT_TRUE(queue.push(call));
}

TEST(LogQueue, TakesNothingUntilItIsOpened) {
  LogQueue queue({});
  EXPECT_EQ(push_error(queue, call_of(1, 1)), ErrorKind::unavailable);
  queue.open();
  push(queue, call_of(1, 1));
}

TEST(LogQueue, IsFullAtItsBoundOfRecords) {
  LogQueue queue({.append_records_max = 10});
  queue.open();
  push(queue, call_of(6, 1));
  EXPECT_EQ(push_error(queue, call_of(5, 1)), ErrorKind::full);
  push(queue, call_of(4, 1));
  EXPECT_EQ(queue.take(kAtOnce).appends.size(), 2u);
  push(queue, call_of(10, 1));
}

TEST(LogQueue, IsFullAtItsBoundOfBytes) {
  LogQueue queue({.append_bytes_max = 1000});
  queue.open();
  push(queue, call_of(1, 600));
  EXPECT_EQ(push_error(queue, call_of(1, 401)), ErrorKind::full);
  push(queue, call_of(1, 400));
}

TEST(LogQueue, RefusesForGoodWhatCouldNeverFit) {
  LogQueue queue({.append_records_max = 10, .append_bytes_max = 5'000'000});
  queue.open();
  EXPECT_EQ(push_error(queue, call_of(11, 1)), ErrorKind::invalid);
  EXPECT_EQ(push_error(queue, call_of(6, 1'000'000)), ErrorKind::invalid);
  EXPECT_EQ(push_error(queue, call_of(1, 1024 * 1024 + 1)), ErrorKind::invalid);
  EXPECT_EQ(push_error(queue, call_of(0, 0)), ErrorKind::invalid);
}

TEST(LogQueue, GroupsAreBoundedAndInOrder) {
  LogQueue queue({.group_records_max = 10, .group_bytes_max = 1000});
  queue.open();
  push(queue, call_of(4, 1));
  push(queue, call_of(6, 1));
  push(queue, call_of(20, 1));
  push(queue, call_of(1, 900));
  push(queue, call_of(1, 200));

  const LogQueue::Taken first = queue.take(kAtOnce);
  ASSERT_EQ(first.appends.size(), 2u);
  EXPECT_EQ(first.appends[0].records.size(), 4u);
  EXPECT_EQ(first.calls_waiting, 5u);
  EXPECT_EQ(queue.take(kAtOnce).appends.at(0).records.size(), 20u) << "one call that is too big is a group of its own";
  EXPECT_EQ(queue.take(kAtOnce).appends.size(), 1u);
  EXPECT_EQ(queue.take(kAtOnce).appends.size(), 1u);
  EXPECT_TRUE(queue.take(kAtOnce).appends.empty());
}

TEST(LogQueue, AClosedQueueCanBeEmptied) {
  LogQueue queue({.group_records_max = 1});
  queue.open();
  push(queue, call_of(1, 1));
  push(queue, call_of(1, 1));
  queue.close({ErrorKind::unavailable, "first"});
  queue.close({ErrorKind::internal, "second"});
  EXPECT_EQ(push_error(queue, call_of(1, 1)), ErrorKind::unavailable);
  EXPECT_FALSE(queue.take(kAtOnce).is_last);
  const LogQueue::Taken last = queue.take(std::chrono::hours{1});
  EXPECT_EQ(last.appends.size(), 1u);
  EXPECT_TRUE(last.is_last);
}

TEST(LogQueue, DeadLettersHaveBoundsOfTheirOwn) {
  LogQueue queue({.append_records_max = 1, .dead_letter_calls_max = 2, .dead_letter_bytes_max = 100});
  queue.open();
  push(queue, call_of(1, 1));
  const auto put = [&](std::size_t bytes) {
    DeadLetterCall call = PutDeadLetter{{Position{"p.1"}, WallTime{}, "", "", std::string(bytes, 'x')}};
    return queue.push(call);
  };
  EXPECT_TRUE(put(60));
  EXPECT_EQ(put(60).error().kind, ErrorKind::full);
  EXPECT_TRUE(put(40));
  EXPECT_EQ(put(0).error().kind, ErrorKind::full);
  EXPECT_EQ(queue.take(kAtOnce).dead_letters.size(), 2u);
  EXPECT_TRUE(put(60));
}

TEST(LogQueue, WhatIsSettledIsTakenAtOnceAndInOrder) {
  LogQueue queue({});
  queue.push(Settled{5, {{4, 0, false}}});
  queue.open();
  EXPECT_EQ(queue.take(kAtOnce).settled.up_to, 0u) << "it was closed";
  queue.push(Settled{7, {{6, 4, false}}});
  queue.push(Settled{9, {{8, 6, true}, {9, 0, false}}});
  const Settled settled = queue.take(kAtOnce).settled;
  EXPECT_EQ(settled.up_to, 9u);
  ASSERT_EQ(settled.steps.size(), 3u);
  EXPECT_EQ(settled.steps[0].ordinal, 6u);
  EXPECT_EQ(settled.steps[2].ordinal, 9u);
  EXPECT_EQ(queue.take(kAtOnce).settled.up_to, 0u);
}

TEST(LogQueue, AWakeEndsOneWait) {
  LogQueue queue({});
  queue.open();
  queue.wake();
  EXPECT_TRUE(queue.take(std::chrono::hours{1}).appends.empty());
}

}  // namespace
}  // namespace carillon::eventlog
