#include "notification/record_processor.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace carillon::notification {
namespace {

using Fate = Outcome::Fate;
constexpr WallTime kNoon{std::chrono::seconds{1795348800}};  // 2026-11-22T12:00:00Z
constexpr MonoTime kMono{std::chrono::hours{1}};

std::string alert(std::string_view members, std::string_view level = "INFO") {
  return "{" + std::string(members) + R"("event":"system_alert","payload":{"alert_id":"a","level":")" +
         std::string(level) + R"(","message":"m"}})";
}

std::string order(std::string_view id, std::string_view user, std::string_view status, std::string_view filled) {
  return R"({"event":"order_update","user_id":")" + std::string(user) + R"(","payload":{"order_id":")" +
         std::string(id) + R"(","instrument_id":"X","status":")" + std::string(status) +
         R"(","side":"BUY","type":"LIMIT","quantity_total":10,"quantity_filled":)" + std::string(filled) + "}}";
}

// A log of one line after another, read as it comes.
struct World {
  Outcome read(std::string bytes) {
    record.ordinal += 2;
    record.position.text = "p" + std::to_string(record.ordinal);
    record.bytes = std::move(bytes);
    return processor.process(record, moment);
  }

  RecordProcessor processor{{}};
  eventlog::StoredRecord record{.position = {}, .ordinal = 40, .logged_at = kNoon, .bytes = {}};
  Moment moment{.wall = kNoon, .mono = kMono};
};

TEST(RecordProcessor, MakesAPublicationOfAnOrderUpdate) {
  World w;
  w.moment.wall = kNoon + milliseconds{300};
  const Outcome made = w.read(order("o", "alice", "PARTIALLY_FILLED", "1.50"));
  ASSERT_EQ(made.fate, Fate::published);
  const Publication& publication = *made.publication;
  EXPECT_EQ(publication.sequence, 1U);
  EXPECT_EQ(publication.ordinal, 42U);
  EXPECT_EQ(publication.position.text, "p42");
  EXPECT_EQ(publication.kind, EventKind::order_update);
  EXPECT_EQ(publication.status, OrderStatus::partially_filled);
  EXPECT_EQ(publication.owner, "alice");
  EXPECT_EQ(publication.order_id, "o");
  EXPECT_EQ(publication.event_time, kNoon) << "protocol 8.2: the time the log got it";
  EXPECT_EQ(publication.accepted_at, kMono - milliseconds{300});
  EXPECT_EQ(publication.published_at, kMono);
  EXPECT_NE(publication.frame.find(R"("quantity_filled":1.50)"), std::string::npos);
  EXPECT_EQ(publication.frame.substr(publication.mark_at, 11), R"(,"payload":)");
  EXPECT_FALSE(made.fault);
  EXPECT_FALSE(made.is_late);
}

TEST(RecordProcessor, MakesAPublicationOfAnAlert) {
  World w;
  const Outcome made = w.read(alert(R"("audience":{"users":["bob","alice"]},)", "CRITICAL"));
  ASSERT_EQ(made.fate, Fate::published);
  EXPECT_EQ(made.publication->level, AlertLevel::critical);
  EXPECT_EQ(made.publication->audience, (std::vector<UserId>{"alice", "bob"}));
  EXPECT_EQ(made.publication->owner, "");
  EXPECT_FALSE(made.step);
}

// An event that the log got before its wall clock was set back was not accepted in the future.
TEST(RecordProcessor, NeverTakesAnEventForAcceptedLaterThanNow) {
  World w;
  w.moment.wall = kNoon - std::chrono::hours{1};
  EXPECT_EQ(w.read(alert("")).publication->accepted_at, kMono);
}

TEST(RecordProcessor, NumbersWhatIsPublishedAndNothingElse) {
  World w;
  EXPECT_EQ(w.read(alert("")).publication->sequence, 1U);
  EXPECT_EQ(w.read("no event").fate, Fate::buried);
  EXPECT_EQ(w.read(order("o", "alice", "FILLED", "10")).publication->sequence, 2U);
  EXPECT_EQ(w.read(order("o", "alice", "FILLED", "10")).fate, Fate::withheld);
  EXPECT_EQ(w.read(alert("")).publication->sequence, 3U);
}

TEST(RecordProcessor, TellsTheStepsOfAnOrder) {
  World w;
  const auto first = w.read(order("o", "alice", "SUBMITTED", "0")).step;
  const auto other = w.read(order("p", "alice", "SUBMITTED", "0")).step;
  const auto second = w.read(order("o", "alice", "FILLED", "10")).step;
  ASSERT_TRUE(first && other && second);
  EXPECT_EQ(first->ordinal, 42U);
  EXPECT_EQ(first->previous, 0U);
  EXPECT_FALSE(first->is_terminal);
  EXPECT_EQ(other->previous, 0U);
  EXPECT_EQ(second->ordinal, 46U);
  EXPECT_EQ(second->previous, 42U);
  EXPECT_TRUE(second->is_terminal);
  EXPECT_FALSE(w.read(order("o", "alice", "CANCELED", "10")).step) << "withheld";
}

TEST(RecordProcessor, SaysWhyItWithholds) {
  World w;
  (void)w.read(order("o", "alice", "PARTIALLY_FILLED", "5"));
  EXPECT_EQ(w.read(order("o", "alice", "PARTIALLY_FILLED", "5")).reason, "repeat");
  EXPECT_EQ(w.read(order("o", "alice", "SUBMITTED", "5")).reason, "submitted_again");
  EXPECT_EQ(w.read(order("o", "alice", "PARTIALLY_FILLED", "4.99")).reason, "filled_fell");
  (void)w.read(order("o", "alice", "CANCELED", "5"));
  const Outcome after = w.read(order("o", "alice", "FILLED", "10"));
  EXPECT_EQ(after.fate, Fate::withheld);
  EXPECT_EQ(after.reason, "after_terminal");
  EXPECT_EQ(after.publication, nullptr);
}

TEST(RecordProcessor, BuriesAnOrderOfAnotherUser) {
  World w;
  (void)w.read(order("o", "alice", "SUBMITTED", "0"));
  const Outcome buried = w.read(order("o", "bob", "FILLED", "10"));
  EXPECT_EQ(buried.fate, Fate::buried);
  ASSERT_TRUE(buried.fault);
  EXPECT_EQ(buried.fault->code, "owner_mismatch");
  EXPECT_EQ(buried.fault->pointer, "/user_id");
  EXPECT_EQ(buried.publication, nullptr);
  EXPECT_FALSE(buried.step);
  EXPECT_EQ(w.read(order("o", "alice", "FILLED", "10")).fate, Fate::published) << "and it changed nothing";
}

TEST(RecordProcessor, FiltersDuplicatesWhereTheLogDoesNot) {
  RecordProcessor processor({.filters_duplicates = true});
  const auto read = [&](std::string bytes) {
    return processor.process({.position = {"p"}, .ordinal = 1, .logged_at = kNoon, .bytes = std::move(bytes)},
                             {.wall = kNoon, .mono = kMono});
  };
  EXPECT_EQ(read(alert(R"("id":"1",)")).fate, Fate::published);
  EXPECT_EQ(read(alert(R"("id":"1",)")).reason, "duplicate");
  const Outcome conflict = read(alert(R"("id":"1",)", "ERROR"));
  EXPECT_EQ(conflict.fate, Fate::buried);
  ASSERT_TRUE(conflict.fault);
  EXPECT_EQ(conflict.fault->code, "id_conflict");
  for (int i = 0; i < 2; ++i) EXPECT_EQ(read(alert("")).fate, Fate::published);
  EXPECT_EQ(processor.duplicates().remembered(), 1U);
}

TEST(RecordProcessor, LeavesDuplicatesToALogThatGuardsItsIds) {
  World w;
  EXPECT_EQ(w.read(alert(R"("id":"1",)")).fate, Fate::published);
  EXPECT_EQ(w.read(alert(R"("id":"1",)", "ERROR")).fate, Fate::published);
}

TEST(RecordProcessor, GivesWhatWasKeptNoNumber) {
  World w;
  w.moment.is_history = true;
  w.record.is_kept = true;
  const Outcome kept = w.read(order("o", "alice", "PARTIALLY_FILLED", "5"));
  EXPECT_EQ(kept.fate, Fate::kept);
  ASSERT_TRUE(kept.publication && kept.step);
  EXPECT_EQ(kept.publication->sequence, 0U);
  EXPECT_EQ(kept.publication->order_id, "o");
  EXPECT_EQ(kept.step->previous, 0U);
  w.record.is_kept = false;
  EXPECT_EQ(w.read(order("o", "bob", "FILLED", "10")).fate, Fate::buried);
  const Outcome next = w.read(order("o", "alice", "FILLED", "10"));
  EXPECT_EQ(next.publication->sequence, 1U);
  EXPECT_EQ(next.step->previous, kept.step->ordinal);
}

// protocol 4.1: live, from the event's time until this node publishes it; as history, until the log had it.
TEST(RecordProcessor, MarksWhatIsLate) {
  struct Case {
    milliseconds logged_after, published_after;  // both from the event's time
    bool is_late_live, is_late_as_history;
  };
  const std::vector<Case> cases = {
      {milliseconds{0}, milliseconds{5000}, false, false},    {milliseconds{0}, milliseconds{5001}, true, false},
      {milliseconds{0}, std::chrono::hours{24}, true, false}, {milliseconds{5000}, milliseconds{5000}, false, false},
      {milliseconds{5001}, milliseconds{5001}, true, true},   {milliseconds{5001}, milliseconds{0}, false, true},
      {milliseconds{-1000}, milliseconds{0}, false, false},
  };
  for (const Case& each : cases) {
    for (const bool is_history : {false, true}) {
      World w;
      w.record.logged_at = kNoon + each.logged_after;
      w.moment = {.wall = kNoon + each.published_after, .mono = kMono, .is_history = is_history};
      const Outcome made = w.read(alert(R"("timestamp":"2026-11-22T12:00:00.000Z",)"));
      ASSERT_TRUE(made.publication);
      const bool expected = is_history ? each.is_late_as_history : each.is_late_live;
      EXPECT_EQ(made.is_late, expected) << each.logged_after.count() << ' ' << each.published_after.count();
      EXPECT_EQ(made.publication->frame.find(R"(,"late":true,)") != std::string::npos, expected);
    }
  }
}

TEST(RecordProcessor, MakesTheSameBytesOfHistoryOnEveryNode) {
  World early, late;
  early.moment.is_history = late.moment.is_history = true;
  late.moment.wall += std::chrono::hours{30};
  late.moment.mono += std::chrono::hours{2};
  for (const std::string& bytes : {alert(R"("timestamp":"2026-11-22T11:59:54.000Z",)"), alert(""),
                                   order("o", "alice", "SUBMITTED", "0"), order("o", "alice", "FILLED", "1")}) {
    const Outcome one = early.read(bytes), other = late.read(bytes);
    EXPECT_EQ(one.publication->frame, other.publication->frame);
    EXPECT_EQ(one.publication->mark_at, other.publication->mark_at);
  }
}

}  // namespace
}  // namespace carillon::notification
