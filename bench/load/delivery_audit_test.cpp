#include "load/delivery_audit.hpp"

#include <gtest/gtest.h>

namespace carillon::bench {
namespace {

using std::chrono::milliseconds;

// Six events, two clients of two users; order updates are number 1 and 4.
class DeliveryAuditTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::string notification(std::size_t number) const {
    return R"({"type":"notification","event":"x","id":"j1.1","payload":)" + book_.payload(number) + "}";
  }
  void deliver(std::uint32_t client, std::size_t number) {
    audit_.on_notification(client, notification(number), schedule_.due(number) + milliseconds(5));
  }
  void deliver_all() {
    for (std::size_t number = 0; number < book_.size(); ++number)
      for (std::uint32_t client = 0; client < 2; ++client)
        if (book_.is_for(number, client)) deliver(client, number);
  }
  void expect_fault(const std::string& words) const {
    ASSERT_FALSE(audit_.conclude().first().empty());
    EXPECT_NE(audit_.conclude().first().front().find(words), std::string::npos) << audit_.conclude().first().front();
  }
  [[nodiscard]] std::uint32_t owner_of(std::size_t number) const { return book_.is_for(number, 0) ? 0 : 1; }

  EventBook book_ = EventBook::mixed("run", 6, 2);
  Schedule schedule_{.start = MonoTime(std::chrono::seconds(100)), .interval = milliseconds(20)};
  DeliveryAudit audit_{book_, schedule_, {.clients = 2, .users = 2}, true};
};

TEST_F(DeliveryAuditTest, IsContentWhenEveryoneGotTheirOwnInOrder) {
  EXPECT_FALSE(audit_.wait_for_all(milliseconds(0)));
  deliver_all();
  EXPECT_TRUE(audit_.wait_for_all(milliseconds(0)));
  EXPECT_EQ(audit_.conclude().count(), 0U);
  EXPECT_EQ(audit_.delivered(), 10U);
  EXPECT_EQ(audit_.latency(EventKind::new_trade_signal).count(), 4U);
  EXPECT_EQ(audit_.latency(EventKind::order_update).count(), 2U);
  EXPECT_EQ(audit_.latency(EventKind::system_alert).max(), milliseconds(5));
  EXPECT_EQ(audit_.arrivals(0), std::vector<std::chrono::microseconds>(2, milliseconds(5)));
}

TEST_F(DeliveryAuditTest, SeesALostEvent) {
  deliver(0, 0);
  expect_fault("client 0 got 1 of");
  EXPECT_EQ(audit_.conclude().count(), 2U);
}

TEST_F(DeliveryAuditTest, SeesARepeatedEvent) {
  deliver_all();
  deliver(1, 5);
  expect_fault("client 1 got event 5 again");
}

TEST_F(DeliveryAuditTest, SeesEventsOutOfOrder) {
  deliver(0, 2);
  deliver(0, 0);
  expect_fault("client 0 got event 0 again or behind");
}

TEST_F(DeliveryAuditTest, SeesAnotherUsersOrder) {
  deliver(1 - owner_of(1), 1);
  expect_fault("event 1, which is another user's");
}

TEST_F(DeliveryAuditTest, SeesAnotherRunsEvent) {
  audit_.on_notification(0, R"({"type":"notification","payload":{"bench":"old-1"}})", schedule_.start);
  expect_fault("not of this run");
}

TEST_F(DeliveryAuditTest, SeesChangedBytes) {
  std::string text = notification(0);
  text.replace(text.find("64000.10"), 8, "64000.1 ");
  audit_.on_notification(0, text, schedule_.start);
  expect_fault("other bytes");
  deliver(1, 0);
  text = notification(0);
  text.replace(text.find("j1.1"), 4, "j1.2");
  audit_.on_notification(0, text, schedule_.start);
  EXPECT_EQ(audit_.conclude().count(), 4U) << "two with changed bytes, two clients without all";
}

TEST(EventBook, FindsTheNumberOfItsOwnEventsOnly) {
  const EventBook book = EventBook::alerts("r1", 3);
  EXPECT_EQ(book.number_in(book.payload(2)), 2U);
  for (const char* text :
       {R"("bench":"r1-3")", R"("bench":"r1-")", R"("bench":"r11-1")", R"("bench":"r1-1)", "", "r1-1"})
    EXPECT_EQ(book.number_in(text), std::nullopt) << text;
}

TEST_F(DeliveryAuditTest, TakesAReplayedEventForTheSame) {
  deliver(0, 0);
  std::string text = notification(0);
  text.insert(text.find(R"(,"payload":)"), R"(,"replayed":true)");
  audit_.on_notification(1, text, schedule_.start);
  EXPECT_EQ(audit_.delivered(), 2U);
}

TEST_F(DeliveryAuditTest, DoesNotTimeWhoReadsWhenItLikes) {
  DeliveryAudit audit(book_, schedule_, {.clients = 2, .users = 2, .untimed = 1}, true);
  audit.on_notification(0, notification(0), schedule_.start + milliseconds(900));
  audit.on_notification(1, notification(0), schedule_.start + milliseconds(5));
  EXPECT_EQ(audit.delivered(), 2U);
  EXPECT_EQ(audit.latency(EventKind::new_trade_signal).count(), 1U);
  EXPECT_EQ(audit.arrivals(0), std::vector<std::chrono::microseconds>(1, milliseconds(5)));
}

TEST(EventBook, PlansOrdersThatLiveForThreeUpdates) {
  const EventBook book = EventBook::orders("r", {.count = 12, .users = 2, .first_user = 7, .to_all = 0.25});
  EXPECT_EQ(book.count_for(0) + book.count_for(1), 9U + 2 * 3);
  EXPECT_EQ(book.kind(3), EventKind::new_trade_signal);
  std::vector<std::string> life;
  for (std::size_t number = 0; number < book.size(); ++number) {
    if (book.kind(number) != EventKind::order_update || !book.is_for(number, 0)) continue;
    EXPECT_NE(book.envelope(number).find(R"("user_id":"user-000007")"), std::string::npos);
    for (const char* status : {"SUBMITTED", "PARTIALLY_FILLED", "FILLED"})
      if (book.payload(number).find(std::string("\"") + status) != std::string::npos) life.emplace_back(status);
  }
  life.resize(4);
  EXPECT_EQ(life, (std::vector<std::string>{"SUBMITTED", "PARTIALLY_FILLED", "FILLED", "SUBMITTED"}));
}

TEST(EventBook, FavoursTheFirstUsers) {
  const EventBook book = EventBook::orders("r", {.count = 1000, .users = 100, .favoured = 10});
  EXPECT_EQ(book.count_for(0), 80U);
  EXPECT_EQ(book.count_for(9), 80U);
  EXPECT_LE(book.count_for(10), 3U);
}

TEST(EventBook, PlansAThirdOfEachKind) {
  const EventBook book = EventBook::mixed("r", 300, 7);
  std::size_t orders = 0;
  for (std::uint32_t user = 0; user < 7; ++user) orders += book.count_for(user) - 200;
  EXPECT_EQ(orders, 100U);
  EXPECT_NE(book.envelope(1).find(R"("event":"order_update","user_id":"user-00000)"), std::string::npos);
}

}  // namespace
}  // namespace carillon::bench
