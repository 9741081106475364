#include "campaign/campaign_audit.hpp"

#include <gtest/gtest.h>

namespace carillon::campaign {
namespace {

// Users 0 and 1; clients 0 and 1 are user 0's, client 2 is user 1's, client 3 is nobody's.
class CampaignAuditTest : public ::testing::Test {
 protected:
  static constexpr std::uint32_t kSignals = 2, kAlerts = 3;

  static std::string notification(const Mark& mark) {
    std::string payload = R"({"order_id":"o-1")";
    append_mark(payload, mark);
    return R"({"type":"notification","event":"order_update","id":"j1.1","payload":)" + payload + "}";
  }
  void publish(std::uint32_t stream, std::uint64_t last) {
    audit_.on_begun({stream, last});
    audit_.on_acknowledged({stream, last});
  }
  void deliver(std::uint32_t client, const Mark& mark) { audit_.on_notification(client, notification(mark)); }
  void deliver(std::uint32_t client, std::uint32_t stream, std::uint64_t first, std::uint64_t last) {
    for (std::uint64_t number = first; number <= last; ++number) deliver(client, {stream, number});
  }
  // Nothing was found but what is given, and that in words too.
  void expect(const Verdict& expected) const {
    const Verdict verdict = audit_.conclude();
    EXPECT_EQ(verdict.lost, expected.lost);
    EXPECT_EQ(verdict.repeated, expected.repeated);
    EXPECT_EQ(verdict.out_of_order, expected.out_of_order);
    EXPECT_EQ(verdict.leaked, expected.leaked);
    EXPECT_EQ(verdict.unannounced_gaps, expected.unannounced_gaps);
    EXPECT_EQ(verdict.announced_gaps, expected.announced_gaps);
    EXPECT_EQ(verdict.altered, expected.altered);
    EXPECT_EQ(verdict.wrong_counts, expected.wrong_counts);
    EXPECT_EQ(verdict.wrong_states, expected.wrong_states);
    EXPECT_EQ(audit_.faults().count(), expected.repeated + expected.out_of_order + expected.leaked +
                                           expected.unannounced_gaps + expected.announced_gaps + expected.altered +
                                           expected.wrong_counts + expected.wrong_states);
  }

  explicit CampaignAuditTest(Streams::Order order = Streams::Order::whole) : audit_(Streams(2, order), kUserOfClient) {}

  CampaignAudit audit_;

 private:
  static inline const std::vector<std::uint32_t> kUserOfClient = {0, 0, 1, CampaignAudit::kNoUser};
};

TEST_F(CampaignAuditTest, IsContentWhenEveryoneGotTheirOwnInOneOrder) {
  publish(0, 3);
  publish(1, 2);
  publish(kSignals, 1);
  publish(kAlerts, 1);
  EXPECT_FALSE(audit_.is_complete());
  for (const std::uint32_t client : {1U, 0U, 2U, 3U}) {
    if (client < 2) deliver(client, 0, 1, 2);
    deliver(client, {kAlerts, 1});
    if (client < 2) deliver(client, {0, 3});
    if (client == 2) deliver(client, 1, 1, 2);
    EXPECT_FALSE(audit_.is_complete());
    deliver(client, {kSignals, 1});
    audit_.on_heartbeat(client, 3, 3);
  }
  EXPECT_TRUE(audit_.is_complete());
  expect({});
  EXPECT_EQ(audit_.conclude().acknowledged, 7U);
  EXPECT_EQ(audit_.conclude().deliveries, 2U * 5 + 4 + 2);
  EXPECT_EQ(audit_.conclude().heartbeats, 4U);
}

TEST_F(CampaignAuditTest, SeesWhatNeverCame) {
  publish(1, 5);
  deliver(2, 1, 1, 3);
  EXPECT_FALSE(audit_.is_complete());
  expect({.lost = 2});
}

TEST_F(CampaignAuditTest, SeesAnUnannouncedGap) {
  publish(1, 5);
  deliver(2, {1, 1});
  deliver(2, {1, 4});
  deliver(2, {1, 5});
  expect({.lost = 2, .unannounced_gaps = 1});
}

TEST_F(CampaignAuditTest, CountsAnAnnouncedGapAsWhatItIs) {
  publish(1, 6);
  deliver(2, {1, 1});
  audit_.on_gap(2, "trimmed");
  deliver(2, {1, 4});
  expect({.lost = 4, .announced_gaps = 1});
  deliver(2, {1, 6});
  expect({.lost = 3, .unannounced_gaps = 1, .announced_gaps = 1});
}

TEST_F(CampaignAuditTest, SeesARepeatedEvent) {
  publish(1, 2);
  deliver(2, 1, 1, 2);
  deliver(2, {1, 2});
  deliver(2, {1, 1});
  expect({.repeated = 2});
}

TEST_F(CampaignAuditTest, SeesTwoThatChangedPlaces) {
  publish(1, 4);
  deliver(2, {1, 1});
  deliver(2, {1, 3});
  deliver(2, {1, 2});
  deliver(2, {1, 4});
  EXPECT_TRUE(audit_.is_complete());
  expect({.out_of_order = 1, .unannounced_gaps = 1});
}

TEST_F(CampaignAuditTest, SeesThatTwoClientsOfAUserDisagree) {
  publish(0, 1);
  publish(kSignals, 1);
  deliver(0, {0, 1});
  deliver(0, {kSignals, 1});
  deliver(1, {kSignals, 1});
  deliver(1, {0, 1});
  deliver(2, {kSignals, 1});
  deliver(3, {kSignals, 1});
  expect({.out_of_order = 1});
}

TEST_F(CampaignAuditTest, SeesThatClientsOfTwoUsersDisagree) {
  publish(kSignals, 1);
  publish(kAlerts, 1);
  for (const std::uint32_t client : {0U, 1U, 2U}) {
    deliver(client, {kSignals, 1});
    deliver(client, {kAlerts, 1});
  }
  deliver(3, {kAlerts, 1});
  deliver(3, {kSignals, 1});
  expect({.out_of_order = 1});
}

TEST_F(CampaignAuditTest, SeesAnotherUsersEvent) {
  publish(0, 1);
  deliver(0, {0, 1});
  deliver(1, {0, 1});
  deliver(2, {0, 1});
  deliver(3, {0, 1});
  expect({.leaked = 2});
}

TEST_F(CampaignAuditTest, SeesWhatShouldHaveBeenWithheld) {
  publish(0, 1);
  deliver(0, {0, 1});
  deliver(1, {0, 1});
  deliver(0, {0, 0});
  expect({.out_of_order = 1});
}

TEST_F(CampaignAuditTest, SeesAHeartbeatThatCountsOtherwise) {
  audit_.on_heartbeat(0, 3, 3);
  audit_.on_heartbeat(0, 4, 3);
  expect({.wrong_counts = 1});
}

TEST_F(CampaignAuditTest, HoldsSnapshotsAgainstTheOrdersThatAreOpen) {
  const auto begin_anew = [&](std::uint32_t client, std::initializer_list<Mark> marks) {
    audit_.begin_snapshot(client);
    for (const Mark& mark : marks) audit_.on_snapshot(client, notification(mark));
    audit_.end_snapshot(client);
  };
  publish(0, 9);
  for (const std::uint32_t client : {0U, 1U}) deliver(client, 0, 1, 9);
  audit_.on_open(0, {4, 9});
  begin_anew(0, {{0, 4}, {0, 9}});
  begin_anew(2, {});
  begin_anew(3, {});
  expect({});
  begin_anew(1, {{0, 9}, {0, 4}});
  begin_anew(1, {{0, 4}});
  begin_anew(1, {{0, 4}, {0, 9}, {0, 9}});
  expect({.wrong_states = 3});
  begin_anew(2, {{0, 4}});
  expect({.leaked = 1, .wrong_states = 3});
}

TEST_F(CampaignAuditTest, SeesAlteredBytes) {
  publish(1, 3);
  const std::string good = notification({1, 1});
  ASSERT_EQ(mark_in(good), (Mark{1, 1}));
  const std::size_t payload = good.find(R"({"order_id)");
  for (std::size_t at = payload; at + 1 < good.size(); ++at) {
    std::string text = good;
    text[at] ^= 1;
    EXPECT_EQ(mark_in(text), std::nullopt) << text;
  }
  audit_.on_notification(2, good.substr(0, good.size() - 1) + " }");
  deliver(2, {1, 4});
  deliver(2, {7, 1});
  deliver(2, 1, 1, 3);
  expect({.altered = 3});
}

// The same clients; streams 0, 2 and 4 are user 0's orders, signals and alerts, 1, 3 and 5 user 1's.
class PerKeyAuditTest : public CampaignAuditTest {
 protected:
  static constexpr std::uint32_t kOrders = 0, kOwnSignals = 2, kOthersSignals = 3, kOwnAlerts = 4;
  static constexpr std::uint32_t kSignalsToAll = 6, kAlertsToAll = 7;

  PerKeyAuditTest() : CampaignAuditTest(Streams::Order::per_key) {}
};

TEST_F(PerKeyAuditTest, IsContentWithAnyOrderOfTheKeys) {
  for (const std::uint32_t stream : {kOrders, kOwnSignals, kOwnAlerts, kSignalsToAll, kAlertsToAll}) publish(stream, 1);
  for (const std::uint32_t stream : {kOrders, kOwnSignals, kSignalsToAll, kOwnAlerts, kAlertsToAll})
    deliver(0, {stream, 1});
  for (const std::uint32_t stream : {kOwnAlerts, kAlertsToAll, kOwnSignals, kOrders}) deliver(1, {stream, 1});
  deliver(2, {kSignalsToAll, 1});
  deliver(2, {kAlertsToAll, 1});
  deliver(3, {kAlertsToAll, 1});
  deliver(3, {kSignalsToAll, 1});
  EXPECT_FALSE(audit_.is_complete());
  deliver(1, {kSignalsToAll, 1});
  EXPECT_TRUE(audit_.is_complete());
  expect({});
}

TEST_F(PerKeyAuditTest, SeesThatTwoClientsDisagreeOnAKey) {
  for (const std::uint32_t stream : {kOwnSignals, kSignalsToAll}) publish(stream, 1);
  for (const std::uint32_t stream : {kOwnSignals, kSignalsToAll}) deliver(0, {stream, 1});
  for (const std::uint32_t stream : {kSignalsToAll, kOwnSignals}) deliver(1, {stream, 1});
  for (const std::uint32_t client : {2U, 3U}) deliver(client, {kSignalsToAll, 1});
  expect({.out_of_order = 1});
}

TEST_F(PerKeyAuditTest, SeesWhatIsWrongInEachStream) {
  publish(kOwnSignals, 3);
  publish(kOwnAlerts, 2);
  publish(kOthersSignals, 1);
  for (const std::uint32_t client : {0U, 1U}) deliver(client, kOwnSignals, 1, 2);
  deliver(0, {kOwnSignals, 1});
  deliver(0, {kOwnSignals, 3});
  for (const std::uint32_t client : {0U, 1U}) deliver(client, {kOwnAlerts, 2});
  deliver(0, {kOwnAlerts, 1});
  deliver(2, {kOthersSignals, 1});
  deliver(0, {kOthersSignals, 1});
  EXPECT_FALSE(audit_.is_complete());
  expect({.lost = 2, .repeated = 1, .out_of_order = 1, .leaked = 1, .unannounced_gaps = 2});
}

// However long a campaign is: what everyone has passed is forgotten.
TEST(AgreedOrder, LetsFollowersLagAndLeaveOut) {
  AgreedOrder order(2);
  for (std::uint64_t number = 1; number <= 1000; ++number) EXPECT_TRUE(order.take(0, {0, number}));
  for (std::uint64_t number = 2; number <= 1000; number += 2) EXPECT_FALSE(order.take(1, {0, number}));
  EXPECT_TRUE(order.take(1, {0, 1001}));
  EXPECT_FALSE(order.take(0, {0, 1000}));
  EXPECT_TRUE(order.take(0, {0, 1001}));
}

}  // namespace
}  // namespace carillon::campaign
