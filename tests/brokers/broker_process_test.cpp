#include "brokers/broker_process.hpp"

#include <gtest/gtest.h>

namespace carillon::brokers {
namespace {

TEST(BrokerProcess, SaysWhatIsWrongWhenThereIsNoSuchScript) {
  BrokerProcess broker("nothing");
  const Result<> started = broker.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().kind, ErrorKind::internal);
  EXPECT_NE(started.error().message.find("nothing start"), std::string::npos);
  EXPECT_EQ(broker.said("url"), "");
}

}  // namespace
}  // namespace carillon::brokers
