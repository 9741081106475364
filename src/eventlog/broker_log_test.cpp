#include "eventlog/broker_log.hpp"

#include <gtest/gtest.h>

#include "eventlog/log_witness.hpp"
#include "eventlog/memory_broker.hpp"

namespace carillon::eventlog {
namespace {

Result<bool> ask(EventLog& log, const Place& place) {
  Answer<bool> answer;
  log.has_reached(place, answer.done());
  return answer.wait();
}

// A client that read on a faster node must not be told of a gap by one that is behind and cannot ask.
TEST(BrokerLog, DoesNotSayThatAPlaceNeverWasWhenItCannotAsk) {
  SystemClock clock;
  telemetry::Registry metrics;
  const auto server = std::make_shared<MemoryServer>(MemoryServer::Options{}, clock);
  RecordingSink sink;
  BrokerLog log(std::make_unique<MemoryBroker>(server), {}, clock, metrics);
  ASSERT_TRUE(log.start(sink).has_value());
  server->put("first");
  const auto records = sink.wait_for(1);
  ASSERT_EQ(records.size(), 1U);
  const Place read(records[0].offset), beyond(Offset{records[0].offset.high + 1, 0});
  EXPECT_EQ(ask(log, beyond), false);

  server->go_down();
  EXPECT_EQ(ask(log, read), true);
  const auto untold = ask(log, beyond);
  ASSERT_FALSE(untold.has_value());
  EXPECT_EQ(untold.error().kind, ErrorKind::unavailable);

  log.stop();
  EXPECT_FALSE(ask(log, beyond).has_value());
}

}  // namespace
}  // namespace carillon::eventlog
