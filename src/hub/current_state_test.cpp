#include "hub/current_state.hpp"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace carillon::hub {
namespace {

Grants all_grants() {
  Grants grants;
  for (const Grant grant : {Grant::signals, Grant::orders, Grant::alerts}) grants.add(grant);
  return grants;
}

struct World {
  explicit World(std::size_t orders_max = kOrdersMax) : state(orders_max) {}

  std::shared_ptr<Publication> make(EventKind kind) {
    auto made = std::make_shared<Publication>();
    made->ordinal = ++last;
    made->kind = kind;
    made->accepted_at = now;
    made->frame = "frame";
    return made;
  }
  void order(UserId owner, std::string id, OrderStatus status) {
    auto made = make(EventKind::order_update);
    made->owner = std::move(owner);
    made->order_id = std::move(id);
    made->status = status;
    state.apply(made);
  }
  void alert(AlertLevel level, std::vector<UserId> audience = {}, std::size_t bytes = 10) {
    auto made = make(EventKind::system_alert);
    made->level = level;
    made->audience = std::move(audience);
    made->frame.assign(bytes, 'x');
    state.apply(made);
  }
  [[nodiscard]] std::vector<Ordinal> of(const UserId& user, Grants grants = all_grants()) const {
    std::vector<Ordinal> found;
    for (const PublicationPtr& publication : state.of(user, grants, now)) found.push_back(publication->ordinal);
    return found;
  }

  CurrentState state;
  MonoTime now{std::chrono::hours{10}};
  Ordinal last = 0;
};

using Ordinals = std::vector<Ordinal>;

TEST(CurrentState, BeyondTheBoundTheOrdersThatStoodLongestLeave) {
  World w(20);
  for (int i = 1; i <= 20; ++i) w.order(i % 2 == 0 ? "even" : "odd", "o" + std::to_string(i), OrderStatus::submitted);
  w.order("odd", "o1", OrderStatus::partially_filled);  // 21: no longer the oldest
  EXPECT_EQ(w.state.open_orders(), 20U);
  w.order("late", "o22", OrderStatus::submitted);
  EXPECT_EQ(w.state.open_orders(), 18U);
  EXPECT_EQ(w.of("even"), (Ordinals{6, 8, 10, 12, 14, 16, 18, 20}));
  EXPECT_EQ(w.of("odd"), (Ordinals{5, 7, 9, 11, 13, 15, 17, 19, 21}));
  EXPECT_EQ(w.of("late"), Ordinals{22});
}

TEST(CurrentState, HoldsTheLatestUpdateOfEachOpenOrder) {
  World w;
  w.order("alice", "o1", OrderStatus::submitted);
  w.order("alice", "o2", OrderStatus::submitted);
  w.order("bob", "o3", OrderStatus::submitted);
  w.order("alice", "o1", OrderStatus::partially_filled);
  EXPECT_EQ(w.of("alice"), (Ordinals{2, 4}));
  EXPECT_EQ(w.of("bob"), (Ordinals{3}));
  EXPECT_EQ(w.of("carol"), Ordinals{});
  EXPECT_EQ(w.state.open_orders(), 3U);
}

TEST(CurrentState, ForgetsAnOrderThatHasEnded) {
  for (const OrderStatus end :
       {OrderStatus::filled, OrderStatus::canceled, OrderStatus::rejected, OrderStatus::expired}) {
    World w;
    w.order("alice", "o1", OrderStatus::submitted);
    w.order("alice", "o1", end);
    EXPECT_EQ(w.of("alice"), Ordinals{});
    EXPECT_EQ(w.state.open_orders(), 0U);
    w.order("alice", "o1", end);  // of an order that was not known
    EXPECT_EQ(w.state.open_orders(), 0U);
  }
}

TEST(CurrentState, HoldsAlertsOfTheLastHourThatAreErrors) {
  World w;
  for (const AlertLevel level : {AlertLevel::info, AlertLevel::warning, AlertLevel::error, AlertLevel::critical})
    w.alert(level);
  EXPECT_EQ(w.of("alice"), (Ordinals{3, 4}));
  w.now += std::chrono::hours{1};
  EXPECT_EQ(w.of("alice"), (Ordinals{3, 4}));
  w.alert(AlertLevel::error);
  w.now += milliseconds{1};
  EXPECT_EQ(w.of("alice"), (Ordinals{5}));
  w.state.trim(w.now);
  EXPECT_EQ(w.of("alice"), (Ordinals{5}));
}

TEST(CurrentState, ShowsNobodyWhatTheyMayNotSee) {
  World w;
  w.alert(AlertLevel::error, {"bob"});
  w.order("alice", "o1", OrderStatus::submitted);
  EXPECT_EQ(w.of("alice"), (Ordinals{2}));
  EXPECT_EQ(w.of("alice", {}), Ordinals{});
  EXPECT_EQ(w.of("bob", {}), (Ordinals{1}));
}

TEST(CurrentState, LeavesOutTheOldestAlertsWhenThereAreTooMany) {
  World w;
  for (std::size_t i = 0; i < CurrentState::kAlertsMax + 2; ++i) w.alert(AlertLevel::error);
  EXPECT_EQ(w.of("alice").size(), CurrentState::kAlertsMax);
  EXPECT_EQ(w.of("alice").front(), 3U);
  w.alert(AlertLevel::critical, {}, CurrentState::kAlertBytesMax);
  EXPECT_EQ(w.of("alice"), (Ordinals{w.last}));
  w.alert(AlertLevel::critical, {}, 1);
  EXPECT_EQ(w.of("alice"), (Ordinals{w.last}));
}

// Against a plain list of all that ever was.
TEST(CurrentState, IsWhatAListOfEverythingSays) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    std::mt19937_64 random(seed);
    const auto draw = [&](std::size_t below) { return static_cast<std::size_t>(random() % below); };
    World w;
    std::map<std::pair<std::string, std::string>, std::pair<Ordinal, bool>> orders;
    std::vector<std::pair<Ordinal, MonoTime>> alerts;
    for (int step = 0; step < 200; ++step) {
      const std::string user(1, static_cast<char>('a' + draw(3)));
      const std::string order = user + std::to_string(draw(4));
      switch (draw(4)) {
        case 0:
          w.alert(AlertLevel::error);
          alerts.emplace_back(w.last, w.now);
          break;
        case 1:
          w.now += std::chrono::minutes{draw(20)};
          w.state.trim(w.now);
          break;
        default: {
          const bool ends = draw(3) == 0;
          w.order(user, order, ends ? OrderStatus::canceled : OrderStatus::partially_filled);
          orders[{user, order}] = {w.last, ends};
        }
      }
      Ordinals expected;
      for (const auto& [key, latest] : orders)
        if (key.first == user && !latest.second) expected.push_back(latest.first);
      for (const auto& [ordinal, at] : alerts)
        if (w.now - at <= std::chrono::hours{1}) expected.push_back(ordinal);
      std::ranges::sort(expected);
      ASSERT_EQ(w.of(user), expected) << "seed " << seed << ", step " << step;
    }
  }
}

}  // namespace
}  // namespace carillon::hub
