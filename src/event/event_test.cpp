#include "event/event.hpp"

#include <gtest/gtest.h>

#include "event/position.hpp"
#include "event/principal.hpp"
#include "event/publication.hpp"

namespace carillon {
namespace {

TEST(EventKind, IsItsWordOnTheWire) {
  for (const char* word : {"new_trade_signal", "order_update", "system_alert"}) {
    ASSERT_TRUE(event_kind(word)) << word;
    EXPECT_EQ(to_string(*event_kind(word)), word);
  }
  for (const char* word : {"", "order", "ORDER_UPDATE", "order_update ", "system_alerts"})
    EXPECT_FALSE(event_kind(word)) << word;
}

TEST(Grant, IsItsWordInTheScope) {
  for (const Grant each : kGrants) EXPECT_EQ(grant(to_string(each)), each);
  for (const char* word : {"", "signal", "Signals", "root"}) EXPECT_FALSE(grant(word)) << word;
}

TEST(Position, HasTheFormOfTheWire) {
  EXPECT_TRUE(is_position("j1.42"));
  EXPECT_TRUE(is_position("AZaz09._~-"));
  EXPECT_TRUE(is_position(std::string(512, 'a')));
  EXPECT_FALSE(is_position(std::string(513, 'a')));
  for (const char* text : {"", " ", "a b", "a/b", "a:b", "\xC3\xA9", "a\n", "*", "a%20"})
    EXPECT_FALSE(is_position(text)) << text;
}

Publication publication(EventKind kind, UserId owner, std::vector<UserId> audience) {
  Publication made;
  made.kind = kind;
  made.owner = std::move(owner);
  made.audience = std::move(audience);
  return made;
}

Grants grants(std::initializer_list<Grant> list) {
  Grants made;
  for (const Grant each : list) made.add(each);
  return made;
}

const Grants kAll = grants({Grant::signals, Grant::orders, Grant::alerts});

TEST(MaySee, AnOrderIsItsUsersOnly) {
  const auto order = publication(EventKind::order_update, "alice", {});
  EXPECT_TRUE(may_see("alice", kAll, order));
  EXPECT_FALSE(may_see("alice", grants({Grant::signals, Grant::alerts}), order));
  for (const char* other : {"bob", "Alice", "alice ", "alic", ""}) EXPECT_FALSE(may_see(other, kAll, order)) << other;
}

TEST(MaySee, AnOrderOfNobodyReachesNobody) {
  const auto order = publication(EventKind::order_update, "", {});
  EXPECT_FALSE(may_see("", kAll, order));
  EXPECT_FALSE(may_see("alice", kAll, order));
}

TEST(MaySee, ASignalNeedsTheGrant) {
  const auto signal = publication(EventKind::new_trade_signal, "", {});
  EXPECT_TRUE(may_see("alice", grants({Grant::signals}), signal));
  EXPECT_FALSE(may_see("alice", grants({Grant::orders, Grant::alerts, Grant::publish, Grant::admin}), signal));
}

TEST(MaySee, AnAlertReachesEverySession) {
  EXPECT_TRUE(may_see("alice", Grants{}, publication(EventKind::system_alert, "", {})));
}

TEST(MaySee, AnAudienceNarrows) {
  for (const EventKind kind : {EventKind::new_trade_signal, EventKind::system_alert}) {
    const auto narrowed = publication(kind, "", {"alice", "carol"});
    EXPECT_TRUE(may_see("alice", kAll, narrowed));
    EXPECT_TRUE(may_see("carol", kAll, narrowed));
    EXPECT_FALSE(may_see("bob", kAll, narrowed));
    EXPECT_FALSE(may_see("", kAll, narrowed));
  }
}

}  // namespace
}  // namespace carillon
