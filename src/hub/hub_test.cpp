#include "hub/hub.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace carillon::hub {
namespace {

Grants all_grants() {
  Grants grants;
  for (const Grant grant : {Grant::signals, Grant::orders, Grant::alerts}) grants.add(grant);
  return grants;
}

// A client whose writes succeed, stall, or go one frame at a time. Frames are numbers followed by a comma.
struct Client final : Subscriber {
  Client(Hub& h, UserId user, Grants grants = all_grants()) : Subscriber(std::move(user), grants), hub(h) {
    EXPECT_EQ(hub.subscribe(*this, {.wants_snapshot = false}, MonoTime{}), std::nullopt);
    read_all();
  }
  ~Client() {
    if (subscribed) hub.unsubscribe(*this);
  }
  void on_publications(std::uint64_t bytes) override {
    told_bytes += bytes;
    ++told;
    if (leaves_when_told) {
      subscribed = false;
      return hub.unsubscribe(*this);
    }
    if (!stalled) read_all();
  }
  void read_all() {
    Reading reading;
    while (!reading.at_end && !reading.gap) reading = hub.read(*this, 1, seen);
  }

  Hub& hub;
  std::string seen;
  std::uint64_t told_bytes = 0;
  int told = 0;
  bool stalled = false;
  bool leaves_when_told = false;
  bool subscribed = true;
};

struct World {
  explicit World(WindowLimits limits = {}, std::size_t slice = Hub::kSlice) : hub(limits, slice) {}

  PublicationPtr make(EventKind kind, UserId owner, std::vector<UserId> audience) {
    auto publication = std::make_shared<Publication>();
    publication->sequence = next++;
    publication->ordinal = publication->sequence;
    publication->offset = {publication->sequence};
    publication->position.text = "p." + std::to_string(publication->sequence);
    publication->kind = kind;
    publication->owner = std::move(owner);
    publication->audience = std::move(audience);
    publication->accepted_at = publication->published_at = now;
    publication->frame = std::to_string(publication->sequence) + ",";
    return publication;
  }
  void push(PublicationPtr publication) { hub.publish({{publication}}); }
  void signal(std::vector<UserId> audience = {}) { push(make(EventKind::new_trade_signal, {}, std::move(audience))); }
  void alert(std::vector<UserId> audience = {}) { push(make(EventKind::system_alert, {}, std::move(audience))); }
  void order(UserId owner) { push(make(EventKind::order_update, std::move(owner), {})); }
  void end_turn() {
    while (hub.deliver(now)) {
    }
  }

  Hub hub;
  MonoTime now{std::chrono::hours{1}};
  std::uint64_t next = 1;
};

TEST(Hub, GivesEachEventToThoseWhoMaySeeIt) {
  World w;
  Client alice(w.hub, "alice"), bob(w.hub, "bob");
  w.signal();        // 1
  w.order("alice");  // 2
  w.order("bob");    // 3
  w.alert({"bob"});  // 4
  w.order("carol");  // 5
  w.alert();         // 6
  w.end_turn();
  EXPECT_EQ(alice.seen, "1,2,6,");
  EXPECT_EQ(bob.seen, "1,3,4,6,");
}

TEST(Hub, ObeysGrants) {
  World w;
  Grants orders_only;
  orders_only.add(Grant::orders);
  Grants signals_only;
  signals_only.add(Grant::signals);
  Client a(w.hub, "alice", orders_only), b(w.hub, "alice", signals_only), none(w.hub, "alice", Grants{});
  w.signal();
  w.order("alice");
  w.alert();
  w.end_turn();
  EXPECT_EQ(a.seen, "2,3,");
  EXPECT_EQ(b.seen, "1,3,");
  EXPECT_EQ(none.seen, "3,");
  b.set_grants(all_grants());
  w.order("alice");
  w.end_turn();
  EXPECT_EQ(b.seen, "1,3,4,");
}

TEST(Hub, AnEventWithoutOwnerReachesNobody) {
  World w;
  Client nameless(w.hub, "");
  w.order("");
  w.end_turn();
  EXPECT_EQ(nameless.seen, "");
}

TEST(Hub, DeliversOncePerTurnHoweverManyCame) {
  World w;
  Client alice(w.hub, "alice");
  for (int i = 0; i < 5; ++i) {
    w.signal();
    w.order("alice");
  }
  EXPECT_EQ(alice.told, 0);
  w.end_turn();
  EXPECT_EQ(alice.told, 1);
  EXPECT_EQ(alice.told_bytes, alice.seen.size());
  w.end_turn();
  EXPECT_EQ(alice.told, 1);
}

TEST(Hub, AStalledClientContinuesWhereItWas) {
  World w;
  Client alice(w.hub, "alice");
  w.order("alice");
  w.end_turn();
  alice.stalled = true;
  w.order("alice");
  w.end_turn();
  w.order("bob");
  w.signal();
  w.end_turn();
  EXPECT_EQ(alice.seen, "1,");
  EXPECT_EQ(w.hub.oldest_waiting(alice), w.now);
  EXPECT_EQ(w.hub.position_of(alice).text, "p.1");
  alice.stalled = false;
  alice.read_all();
  EXPECT_EQ(alice.seen, "1,2,4,");
  EXPECT_EQ(w.hub.position_of(alice).text, "p.4");
  EXPECT_FALSE(w.hub.oldest_waiting(alice));
}

TEST(Hub, ANewcomerGetsWhatComesNextAndNothingBefore) {
  World w;
  w.signal();
  w.end_turn();
  w.signal();
  Client late(w.hub, "late");
  w.signal();
  w.end_turn();
  EXPECT_EQ(late.seen, "3,");
}

TEST(Hub, ThePositionMovesForAQuietClientToo) {
  World w;
  w.hub.set_origin({"p.0"});
  Client alice(w.hub, "alice");
  EXPECT_EQ(w.hub.position_of(alice).text, "p.0");
  w.order("bob");
  w.end_turn();
  EXPECT_EQ(alice.seen, "");
  EXPECT_EQ(w.hub.position_of(alice).text, "p.1");
}

TEST(Hub, TheWindowForgetsByAgeAndByBytesAndSaysSoToWhoMissedIt) {
  World measured;
  measured.signal();
  World w({.age = std::chrono::seconds{10}, .bytes = 4 * measured.hub.window().bytes()});
  Client alice(w.hub, "alice");
  alice.stalled = true;
  for (int i = 0; i < 4; ++i) w.signal();
  w.end_turn();
  EXPECT_EQ(w.hub.window().begin(), 1U);
  w.signal();
  w.end_turn();
  EXPECT_EQ(w.hub.window().begin(), 2U);
  std::string frames;
  const auto reading = w.hub.read(alice, 100, frames);
  EXPECT_TRUE(reading.gap);
  EXPECT_EQ(frames, "");
  w.now += std::chrono::seconds{11};
  w.signal();
  w.end_turn();
  EXPECT_EQ(w.hub.window().begin(), 6U);
}

TEST(Hub, OneThatLeavesWhileBeingToldDisturbsNobody) {
  World w;
  auto leaver = std::make_unique<Client>(w.hub, "alice");
  leaver->leaves_when_told = true;
  Client other(w.hub, "alice"), bob(w.hub, "bob");
  w.order("alice");
  w.signal();
  w.end_turn();
  leaver.reset();
  w.signal();
  w.end_turn();
  EXPECT_EQ(other.seen, "1,2,3,");
  EXPECT_EQ(bob.seen, "2,3,");
  EXPECT_EQ(w.hub.subscribers(), 2U);
}

TEST(Hub, ABroadcastIsToldInSlices) {
  World w({}, 2);
  std::deque<Client> clients;
  for (int i = 0; i < 5; ++i) clients.emplace_back(w.hub, "u" + std::to_string(i));
  const auto told = [&] { return std::ranges::count_if(clients, [](const Client& c) { return c.told > 0; }); };
  w.signal();
  EXPECT_TRUE(w.hub.deliver(w.now));
  EXPECT_EQ(told(), 2);
  EXPECT_TRUE(w.hub.deliver(w.now));
  EXPECT_EQ(told(), 4);
  EXPECT_FALSE(w.hub.deliver(w.now));
  EXPECT_EQ(told(), 5);
}

TEST(Hub, WhatIsTargetedDoesNotWaitForASweepAndComesBehindWhatWasBeforeIt) {
  World w({}, 1);
  Client b(w.hub, "b"), c(w.hub, "c"), a(w.hub, "a");  // the first sweep begins with the third
  w.signal();
  EXPECT_TRUE(w.hub.deliver(w.now));
  EXPECT_EQ(a.seen + "|" + b.seen + "|" + c.seen, "1,||");
  w.order("c");
  EXPECT_TRUE(w.hub.deliver(w.now));
  EXPECT_EQ(a.seen + "|" + b.seen + "|" + c.seen, "1,|1,|1,2,");
  w.end_turn();
  EXPECT_EQ(c.told, 1) << "the sweep has nothing more for it";
}

TEST(Hub, ABroadcastDuringASweepMakesItGoOnRound) {
  World w({}, 1);
  Client b(w.hub, "b"), c(w.hub, "c"), a(w.hub, "a");  // the first sweep begins with the third
  w.signal();
  EXPECT_TRUE(w.hub.deliver(w.now));
  w.signal();
  EXPECT_TRUE(w.hub.deliver(w.now));
  EXPECT_EQ(a.seen + "|" + b.seen + "|" + c.seen, "1,|1,2,|");
  w.end_turn();
  EXPECT_EQ(a.seen + "|" + b.seen + "|" + c.seen, "1,2,|1,2,|1,2,");
  EXPECT_EQ(c.told, 1) << "both together";
}

TEST(Hub, NobodyIsAlwaysFirst) {
  World w({}, 1);
  Client a(w.hub, "a"), b(w.hub, "b"), c(w.hub, "c");
  std::set<const Client*> first;
  for (int i = 0; i < 3; ++i) {
    w.signal();
    (void)w.hub.deliver(w.now);
    first.insert(a.told > i ? &a : b.told > i ? &b : &c);
    w.end_turn();
  }
  EXPECT_EQ(first.size(), 3U);
}

TEST(Hub, WhoMovesUpInTheListDuringASweepIsNotPassedOver) {
  World w({}, 1);
  // The first sweep begins with the fourth of five.
  Client second(w.hub, "second");
  Client third(w.hub, "third"), fourth(w.hub, "fourth");
  auto first = std::make_unique<Client>(w.hub, "first");
  Client last(w.hub, "last");
  w.signal();
  EXPECT_TRUE(w.hub.deliver(w.now));
  EXPECT_EQ(first->seen, "1,");
  first.reset();
  w.end_turn();
  for (const Client* client : {&second, &third, &fourth, &last}) EXPECT_EQ(client->seen, "1,");
}

TEST(Hub, WhatIsTooOldForTheWindowStillReachesAll) {
  World w({.age = std::chrono::seconds{10}}, 1);
  Client a(w.hub, "a"), b(w.hub, "b"), c(w.hub, "c");
  w.now -= std::chrono::hours{1};
  w.signal();
  w.now += std::chrono::hours{1};
  w.end_turn();
  for (const Client* client : {&a, &b, &c}) EXPECT_EQ(client->seen, "1,");
  w.end_turn();
  EXPECT_EQ(w.hub.window().begin(), 2U);
}

TEST(Hub, TheWindowStaysBoundedWhileASweepGoesOnAndOn) {
  World measured;
  measured.signal();
  const std::uint64_t one = measured.hub.window().bytes();
  World w({.bytes = 4 * one}, 1);
  Client a(w.hub, "a"), b(w.hub, "b"), c(w.hub, "c");
  std::string all;
  for (int i = 1; i <= 100; ++i) {
    w.signal();
    all += std::to_string(i) + ",";
    EXPECT_TRUE(w.hub.deliver(w.now));
    EXPECT_LE(w.hub.window().bytes(), 9 * one);
  }
  w.end_turn();
  for (const Client* client : {&a, &b, &c}) EXPECT_EQ(client->seen, all);
}

// Any mix of events, stalls, comings and goings: each client has exactly what a plain model says, in order.
TEST(Hub, AgreesWithAModelWhateverHappens) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const auto chance = [&](unsigned percent) { return random() % 100 < percent; };
    World w({}, 1 + random() % 6);
    struct Pair {
      std::unique_ptr<Client> client;
      std::string expected;
    };
    std::deque<Pair> pairs;
    const std::vector<UserId> users{"a", "b", "c", "d"};
    for (int step = 0; step < 200; ++step) {
      if (chance(15)) {
        Grants grants = chance(80) ? all_grants() : Grants{};
        pairs.push_back({std::make_unique<Client>(w.hub, users[random() % 4], grants), {}});
      }
      if (chance(5) && !pairs.empty())
        pairs.erase(pairs.begin() + static_cast<std::ptrdiff_t>(random() % pairs.size()));
      for (auto& [client, expected] : pairs) {
        if (chance(10)) client->stalled = !client->stalled;
        if (chance(20) && !client->stalled) client->read_all();
      }
      const auto kind = static_cast<EventKind>(random() % 3);
      std::vector<UserId> audience;
      if (kind != EventKind::order_update && chance(30)) audience = {users[0], users[2]};
      const auto publication = w.make(kind, kind == EventKind::order_update ? users[random() % 4] : UserId{}, audience);
      for (auto& [client, expected] : pairs) {
        const bool in_audience = audience.empty() || client->user() == "a" || client->user() == "c";
        const bool sees = kind == EventKind::order_update
                              ? client->user() == publication->owner && client->grants().has(Grant::orders)
                          : kind == EventKind::new_trade_signal ? in_audience && client->grants().has(Grant::signals)
                                                                : in_audience;
        if (sees) expected += publication->frame;
      }
      w.push(publication);
      if (chance(60)) (void)w.hub.deliver(w.now);
      if (chance(10)) w.end_turn();
    }
    w.end_turn();
    for (auto& [client, expected] : pairs) {
      client->read_all();
      EXPECT_EQ(client->seen, expected);
    }
  }
}

}  // namespace
}  // namespace carillon::hub
