#include "notification/notification_service.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "eventlog/memory_log.hpp"
#include "hub/hub.hpp"

namespace carillon::notification {
namespace {

// A node without network: a log in memory, the service, and two shards that are only asked what they were given.
struct World {
  // `history` is in the log before the node is there.
  explicit World(const std::vector<std::string>& history = {}, const RecordProcessor::Options& options = {})
      : service(own_loop, log, fan_out, clock, metrics, options) {
    for (const std::string& bytes : history) log.put_foreign(bytes);
    fan_out.add(first_loop, first);
    fan_out.add(second_loop, second);
    EXPECT_TRUE(log.start(service));
    fan_out.set_origin(log.origin().position);
  }
  void append(std::string id, std::string_view envelope) {
    log.append({{.id = std::move(id), .bytes = std::string(envelope)}},
               [](const Result<eventlog::Appended>& done) { EXPECT_TRUE(done.has_value()); });
  }
  void settle() {
    own_loop.turn_at_once();
    for (runtime::Loop* loop : {&first_loop, &second_loop}) loop->turn_at_once();
  }
  std::vector<std::string> published() const {
    std::vector<std::string> positions;
    for (auto s = first.window().begin(); s < first.window().end(); ++s)
      positions.push_back(first.window().at(s).position.text);
    return positions;
  }
  std::vector<eventlog::DeadLetter> dead_letters() {
    std::vector<eventlog::DeadLetter> found;
    log.list_dead_letters(100, [&](Result<std::vector<eventlog::DeadLetter>> letters) { found = std::move(*letters); });
    return found;
  }
  bool shows(std::string_view sample) const { return metrics.text().contains("\n" + std::string(sample) + "\n"); }

  ManualClock clock;
  telemetry::Registry metrics;
  eventlog::MemoryLog log{clock};
  runtime::Loop own_loop{clock}, first_loop{clock}, second_loop{clock};
  hub::Hub first{hub::WindowLimits{}}, second{hub::WindowLimits{}};
  FanOut fan_out;
  NotificationService service;
};

std::string order(std::string_view user, std::string_view status, std::string_view filled) {
  return R"({"event":"order_update","user_id":")" + std::string(user) +
         R"(","payload":{"order_id":"o","instrument_id":"X","status":")" + std::string(status) +
         R"(","side":"BUY","type":"LIMIT","quantity_total":10,"quantity_filled":)" + std::string(filled) + "}}";
}

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
  const std::string noise = std::string(1, '\xff') + '\0' + " not an event";
  w.append("1", kAlert);
  w.log.put_foreign(noise);
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
  EXPECT_NE(letters[2].detail.front(), ':') << "it is all of it that is wrong";
  EXPECT_EQ(letters[2].bytes, noise);
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

TEST(NotificationService, WithholdsAndCountsWhatSaysNothingNew) {
  World w;
  w.log.put_foreign(order("alice", "PARTIALLY_FILLED", "5"));
  w.log.put_foreign(order("alice", "PARTIALLY_FILLED", "5"));
  w.log.put_foreign(order("alice", "PARTIALLY_FILLED", "4"));
  w.log.put_foreign(order("alice", "CANCELED", "5"));
  w.log.put_foreign(order("alice", "FILLED", "10"));
  w.log.put_foreign(order("alice", "FILLED", "10"));
  w.settle();
  EXPECT_EQ(w.published(), (std::vector<std::string>{"m1.1", "m1.4"}));
  EXPECT_TRUE(w.dead_letters().empty());
  EXPECT_TRUE(w.shows(R"(carillon_withheld_total{reason="repeat"} 1)"));
  EXPECT_TRUE(w.shows(R"(carillon_withheld_total{reason="filled_fell"} 1)"));
  EXPECT_TRUE(w.shows(R"(carillon_withheld_total{reason="after_terminal"} 2)"));
  EXPECT_TRUE(w.shows(R"(carillon_published_total{event="order_update"} 2)"));
}

TEST(NotificationService, BuriesAnOrderOfAnotherUser) {
  World w;
  w.log.put_foreign(order("alice", "SUBMITTED", "0"));
  w.log.put_foreign(order("bob", "FILLED", "10"));
  w.log.put_foreign(order("alice", "FILLED", "10"));
  w.settle();
  EXPECT_EQ(w.published(), (std::vector<std::string>{"m1.1", "m1.3"}));
  const auto letters = w.dead_letters();
  ASSERT_EQ(letters.size(), 1U);
  EXPECT_EQ(letters[0].position.text, "m1.2");
  EXPECT_EQ(letters[0].reason, "owner_mismatch");
  EXPECT_EQ(letters[0].bytes, order("bob", "FILLED", "10"));
  EXPECT_TRUE(w.shows(R"(carillon_dead_letters_total{reason="owner_mismatch"} 1)"));
}

TEST(NotificationService, PublishesAnIdOnceWhereTheLogDoesNotGuardIt) {
  World w({}, {.filters_duplicates = true});
  w.log.put_foreign(std::string(kAlert));
  w.log.put_foreign(std::string(kAlert));
  w.log.put_foreign(R"({"id":"1","event":"system_alert","payload":{"alert_id":"b","level":"INFO","message":"m"}})");
  w.settle();
  EXPECT_EQ(w.published(), std::vector<std::string>{"m1.1"});
  EXPECT_TRUE(w.shows(R"(carillon_withheld_total{reason="duplicate"} 1)"));
  ASSERT_EQ(w.dead_letters().size(), 1U);
  EXPECT_EQ(w.dead_letters()[0].position.text, "m1.3");
  EXPECT_EQ(w.dead_letters()[0].reason, "id_conflict");
}

TEST(NotificationService, CountsWhatItForgetsAtItsBounds) {
  World w({}, {.orders = {.orders_max = 1}, .filters_duplicates = true, .duplicates = {.entries_max = 1}});
  for (const char* id : {"1", "2", "3"}) {
    w.log.put_foreign(R"({"id":")" + std::string(id) +
                      R"(","event":"order_update","user_id":"alice","payload":{"order_id":")" + id +
                      R"(","instrument_id":"X","status":"SUBMITTED","side":"BUY","type":"LIMIT",)" +
                      R"("quantity_total":10,"quantity_filled":0}})");
  }
  w.settle();
  EXPECT_TRUE(w.shows("carillon_orders_forgotten_total 2"));
  EXPECT_TRUE(w.shows("carillon_event_ids_forgotten_total 2"));
}

constexpr std::string_view kOldAlert =
    R"({"event":"system_alert","timestamp":"2026-11-22T11:59:50.000Z","payload":{"alert_id":"a","level":"INFO","message":"m"}})";

// Its lateness was counted, and its way into the log measured, when it was news.
TEST(NotificationService, CountsNoHistoryAsLate) {
  World w({std::string(kOldAlert)});
  w.settle();
  w.log.put_foreign(std::string(kAlert));
  w.settle();
  EXPECT_TRUE(w.shows(R"(carillon_published_total{event="system_alert"} 2)"));
  EXPECT_TRUE(w.shows(R"(carillon_published_late_total{event="system_alert"} 0)"));
  EXPECT_TRUE(w.shows(R"(carillon_event_accept_seconds_count{event="system_alert"} 1)"));
  EXPECT_TRUE(w.shows(R"(carillon_event_accept_beyond_limit_total{event="system_alert"} 0)"));
  w.log.put_foreign(std::string(kOldAlert));
  w.settle();
  EXPECT_TRUE(w.shows(R"(carillon_published_late_total{event="system_alert"} 1)"));
  EXPECT_TRUE(w.shows(R"(carillon_event_accept_seconds_count{event="system_alert"} 2)"));
  EXPECT_TRUE(w.shows(R"(carillon_event_accept_seconds_sum{event="system_alert"} 11)"));
  EXPECT_TRUE(w.shows(R"(carillon_event_accept_beyond_limit_total{event="system_alert"} 1)"));
}

TEST(NotificationService, TakesAnEventFromTheFutureForAcceptedAtOnce) {
  World w;
  w.log.put_foreign(
      R"({"event":"system_alert","timestamp":"2026-11-22T13:00:00Z","payload":{"alert_id":"a","level":"INFO","message":"m"}})");
  w.settle();
  EXPECT_TRUE(w.shows(R"(carillon_event_accept_seconds_bucket{event="system_alert",le="0.0001"} 1)"));
  EXPECT_TRUE(w.shows(R"(carillon_event_accept_seconds_sum{event="system_alert"} 0)"));
}

// A node that comes to a log whose beginning is trimmed judges as the one that saw it all.
TEST(NotificationService, GoesOnFromATrimmedLog) {
  World w;
  w.log.put_foreign(order("alice", "SUBMITTED", "0"));
  w.log.put_foreign(order("alice", "PARTIALLY_FILLED", "5"));
  w.log.put_foreign(std::string(kAlert));
  w.settle();
  w.log.trim_before(3);
  w.log.stop();

  telemetry::Registry metrics;
  runtime::Loop own_loop{w.clock}, shard_loop{w.clock};
  hub::Hub hub{hub::WindowLimits{}};
  FanOut fan_out;
  NotificationService service{own_loop, w.log, fan_out, w.clock, metrics};
  fan_out.add(shard_loop, hub);
  ASSERT_TRUE(w.log.start(service));
  fan_out.set_origin(w.log.origin().position);
  w.log.put_foreign(order("bob", "CANCELED", "5"));
  w.log.put_foreign(order("alice", "PARTIALLY_FILLED", "4"));
  w.log.put_foreign(order("alice", "FILLED", "10"));
  own_loop.turn_at_once();
  shard_loop.turn_at_once();
  ASSERT_EQ(hub.window().end(), 3U);
  EXPECT_EQ(hub.window().at(1).position.text, "m1.3");
  EXPECT_EQ(hub.window().at(2).position.text, "m1.6");
  ASSERT_EQ(w.dead_letters().size(), 1U);
  EXPECT_EQ(w.dead_letters()[0].reason, "owner_mismatch");
}

// Writes down what it is told. Its records are given to the sink by the test.
struct WitnessLog final : eventlog::EventLog {
  Result<> start(eventlog::RecordSink&) override { return {}; }
  Origin origin() const override { return {.position = {"w.40"}}; }
  std::expected<Place, GapReason> locate(std::string_view) const override {
    return std::unexpected(GapReason::unknown);
  }
  void has_reached(Place, ReachedDone done) override { done(false); }
  void stop() override {}
  void append(std::vector<eventlog::Record>, AppendDone) override {}
  void sink_has_room() override {}
  void settle(eventlog::Settled settled) override {
    told += "settle " + std::to_string(settled.up_to);
    for (const auto& step : settled.steps)
      told += " [" + std::to_string(step.previous) + ">" + std::to_string(step.ordinal) +
              (step.is_terminal ? " end]" : "]");
    told += "; ";
  }
  void put_dead_letter(eventlog::DeadLetter letter) override { told += "dead " + letter.position.text + "; "; }
  void list_dead_letters(std::size_t, DeadLettersDone) override {}
  void remove_dead_letter(Position, Done) override {}
  bool is_writable() const override { return true; }
  bool has_caught_up() const override { return false; }

  std::string told;
};

struct WitnessedNode {
  WitnessedNode() {
    fan_out.add(shard_loop, hub);
    fan_out.set_origin(log.origin().position);
  }
  // Ordinals of kept records are below the log's origin.
  static eventlog::StoredRecord record(Ordinal ordinal, std::string bytes) {
    return {.position = {"w." + std::to_string(ordinal)},
            .ordinal = ordinal,
            .offset = {ordinal},
            .logged_at = ManualClock{}.wall_now(),
            .bytes = std::move(bytes),
            .is_kept = ordinal <= 40};
  }
  void give(std::vector<eventlog::StoredRecord> batch) {
    EXPECT_TRUE(service.accept(batch));
    EXPECT_TRUE(batch.empty());
    own_loop.turn_at_once();
    shard_loop.turn_at_once();
  }

  ManualClock clock;
  telemetry::Registry metrics;
  WitnessLog log;
  runtime::Loop own_loop{clock}, shard_loop{clock};
  hub::Hub hub{hub::WindowLimits{}};
  FanOut fan_out;
  NotificationService service{own_loop, log, fan_out, clock, metrics};
};

TEST(NotificationService, SettlesEachBatchAfterItsDeadLetters) {
  WitnessedNode node;
  node.give({node.record(41, order("alice", "SUBMITTED", "0")), node.record(43, "no event"),
             node.record(47, order("alice", "PARTIALLY_FILLED", "5")), node.record(48, std::string(kAlert))});
  node.give({node.record(50, order("bob", "FILLED", "10")), node.record(51, order("alice", "FILLED", "10")),
             node.record(52, order("alice", "FILLED", "10"))});
  node.give({});
  EXPECT_EQ(node.log.told, "dead w.43; settle 48 [0>41] [41>47]; dead w.50; settle 52 [47>51 end]; ");
}

// A client that begins anew is shown an order whose last update is trimmed; the window holds none of it.
struct NewClient final : hub::Subscriber {
  explicit NewClient(hub::Hub& hub, const ManualClock& clock) : Subscriber("alice", all_grants()) {
    EXPECT_FALSE(hub.subscribe(*this, {}, clock.mono_now()));
    while (!hub.read(*this, 1 << 20, seen).at_end) {
    }
    hub.unsubscribe(*this);
  }
  void on_publications(std::uint64_t) override {}
  static Grants all_grants() {
    Grants grants;
    for (const Grant grant : kGrants) grants.add(grant);
    return grants;
  }
  std::string seen;
};

TEST(NotificationService, LetsTheHubsRememberWhatTheLogKept) {
  WitnessedNode node;
  node.give({node.record(7, order("alice", "PARTIALLY_FILLED", "5")), node.record(41, std::string(kAlert))});
  EXPECT_EQ(node.hub.window().end(), 2U);
  EXPECT_EQ(node.hub.window().at(1).position.text, "w.41");
  EXPECT_NE(NewClient(node.hub, node.clock).seen.find(R"("id":"w.7","snapshot":true)"), std::string::npos);
  EXPECT_TRUE(NewClient(node.hub, node.clock).seen.find("w.41") == std::string::npos) << "no alert that stands";
  node.give({node.record(42, order("alice", "FILLED", "10"))});
  EXPECT_EQ(NewClient(node.hub, node.clock).seen, "");
  EXPECT_EQ(node.log.told, "settle 41 [0>7]; settle 42 [7>42 end]; ");
  EXPECT_NE(node.metrics.text().find(R"(carillon_published_total{event="order_update"} 1)"), std::string::npos)
      << "what was kept was published by a node before";
}

}  // namespace
}  // namespace carillon::notification
