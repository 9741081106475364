#include "notification/notification_service.hpp"

#include <gtest/gtest.h>

#include "eventlog/memory_log.hpp"
#include "hub/hub.hpp"

namespace carillon::notification {
namespace {

// A node without network: a log in memory, the service, and two shards that are only asked what they were given.
struct World {
  World() {
    fan_out.add(first_loop, first);
    fan_out.add(second_loop, second);
    EXPECT_TRUE(log.start(service, std::chrono::hours{1}));
  }
  void append(std::string id, std::string_view envelope) {
    log.append({{.id = std::move(id), .bytes = std::string(envelope)}},
               [](const Result<eventlog::Appended>& done) { EXPECT_TRUE(done.has_value()); });
  }
  void settle() {
    own_loop.turn_at_once();
    for (runtime::Loop* loop : {&first_loop, &second_loop}) loop->turn_at_once();
  }
  static std::string frames_of(const hub::Hub& hub) {
    std::string all;
    for (auto s = hub.window().begin(); s < hub.window().end(); ++s) all += hub.window().at(s).frame;
    return all;
  }
  std::vector<eventlog::DeadLetter> dead_letters() {
    std::vector<eventlog::DeadLetter> found;
    log.list_dead_letters(100, [&](Result<std::vector<eventlog::DeadLetter>> letters) { found = std::move(*letters); });
    return found;
  }

  ManualClock clock;
  telemetry::Registry metrics;
  eventlog::MemoryLog log{clock};
  runtime::Loop own_loop{clock}, first_loop{clock}, second_loop{clock};
  hub::Hub first{hub::WindowLimits{}}, second{hub::WindowLimits{}};
  FanOut fan_out;
  NotificationService service{own_loop, log, fan_out, clock, metrics};
};

constexpr std::string_view kAlert =
    R"({"id":"1","event":"system_alert","timestamp":"2026-11-22T11:59:59.000Z","payload":{"alert_id":"a","level":"INFO","message":"m"}})";

TEST(NotificationService, EncodesOnceForAllShards) {
  World w;
  w.append("1", kAlert);
  w.settle();
  ASSERT_EQ(w.first.window().end() - w.first.window().begin(), 1U);
  const Publication& a = w.first.window().at(1);
  const Publication& b = w.second.window().at(1);
  EXPECT_EQ(&a, &b);
  EXPECT_EQ(a.position.text, "m1.1");
  const std::string json =
      R"({"type":"notification","event":"system_alert","timestamp":"2026-11-22T11:59:59.000Z","id":"m1.1","payload":{"alert_id":"a","level":"INFO","message":"m"}})";
  EXPECT_EQ(a.frame, std::string("\x81\x7e\x00", 3) + static_cast<char>(json.size()) + json);
}

TEST(NotificationService, KeepsTheOwnerAndTheAudience) {
  World w;
  w.append(
      "1",
      R"({"id":"1","event":"order_update","user_id":"alice","payload":{"order_id":"o","instrument_id":"X","status":"FILLED","side":"BUY","type":"LIMIT","quantity_total":1.50,"quantity_filled":1.5}})");
  w.append(
      "2",
      R"({"id":"2","event":"system_alert","audience":{"users":["bob","alice","bob"]},"payload":{"alert_id":"a","level":"INFO","message":"m"}})");
  w.settle();
  EXPECT_EQ(w.first.window().at(1).owner, "alice");
  EXPECT_NE(w.first.window().at(1).frame.find(R"("quantity_total":1.50,"quantity_filled":1.5)"), std::string::npos);
  EXPECT_EQ(w.first.window().at(2).audience, (std::vector<UserId>{"alice", "bob"}));
}

// protocol 4.1: counted from the event's time, or from the log's where it has none.
TEST(NotificationService, MarksWhatIsLate) {
  World w;
  w.append("1", kAlert);
  w.append("2", R"({"id":"2","event":"system_alert","payload":{"alert_id":"a","level":"INFO","message":"m"}})");
  w.clock.advance(std::chrono::milliseconds{4000});
  w.settle();
  EXPECT_EQ(w.first.window().at(1).frame.find("late"), std::string::npos);
  w.append(
      "3",
      R"({"id":"3","event":"system_alert","timestamp":"2026-11-22T11:59:58.999Z","payload":{"alert_id":"a","level":"INFO","message":"m"}})");
  w.settle();
  EXPECT_EQ(w.first.window().at(2).frame.find("late"), std::string::npos);
  EXPECT_NE(w.first.window().at(3).frame.find(R"("late":true)"), std::string::npos);
}

TEST(NotificationService, BuriesWhatIsNoEventAndGoesOn) {
  World w;
  w.append("1", kAlert);
  w.log.put_foreign("\xff\x00 not an event");
  w.log.put_foreign(R"({"event":"system_alert","payload":{"alert_id":"a","level":"LOUD","message":"m"}})");
  w.log.put_foreign("");
  w.append("2", kAlert);
  w.settle();
  EXPECT_EQ(w.first.window().end() - w.first.window().begin(), 2U);
  EXPECT_EQ(w.first.window().at(2).position.text, "m1.5");
  const auto letters = w.dead_letters();
  ASSERT_EQ(letters.size(), 3U);
  EXPECT_EQ(letters[1].position.text, "m1.3");
  EXPECT_EQ(letters[1].reason, "not_allowed");
  EXPECT_TRUE(letters[1].detail.starts_with("/payload/level: "));
  EXPECT_EQ(letters[2].reason, "not_json");
  EXPECT_EQ(letters[2].bytes, std::string("\xff\x00 not an event", 16).substr(0, letters[2].bytes.size()));
}

// The log is paused when too much is pending, and goes on by itself: nothing is lost, nothing twice.
TEST(NotificationService, PausesTheLogWhenFullAndContinues) {
  World w;
  const std::string pad(200'000, 'x');
  const std::string big =
      R"({"event":"system_alert","payload":{"alert_id":"a","level":"INFO","message":"m","pad":")" + pad + "\"}}";
  for (int i = 0; i < 180; ++i) w.log.put_foreign(big);
  for (int i = 0; i < 20; ++i) w.settle();
  EXPECT_EQ(w.first.window().end() - 1, 180U);
}

}  // namespace
}  // namespace carillon::notification
