// The suite over the logs that need no real broker; tests/brokers has the others.

#include "eventlog/event_log_suite.hpp"

#include "eventlog/broker_log_suite.hpp"
#include "eventlog/log_worlds.hpp"
#include "eventlog/memory_broker_world.hpp"

namespace carillon::eventlog {
namespace {

using BrokerWorlds = testing::Types<MemoryBrokerWorld, LanedBrokerWorld, SilentBrokerWorld, RepeatKeepingBrokerWorld>;

INSTANTIATE_TYPED_TEST_SUITE_P(Memory, EventLogSuite, MemoryWorld);
INSTANTIATE_TYPED_TEST_SUITE_P(Journal, EventLogSuite, JournalWorld);
INSTANTIATE_TYPED_TEST_SUITE_P(MemoryBroker, EventLogSuite, BrokerWorlds);

// A memory log is used by one thread.
INSTANTIATE_TYPED_TEST_SUITE_P(Journal, ConcurrentLogSuite, JournalWorld);
INSTANTIATE_TYPED_TEST_SUITE_P(MemoryBroker, ConcurrentLogSuite, BrokerWorlds);

INSTANTIATE_TYPED_TEST_SUITE_P(MemoryBroker, BrokerLogSuite, BrokerWorlds);

}  // namespace
}  // namespace carillon::eventlog
