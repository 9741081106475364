#include "hub/cursor.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <utility>

#include "hub/cursor_trial.hpp"

namespace carillon::hub {
namespace {

const UserId kAlice = "alice";

Grants all_grants() {
  Grants grants;
  for (const Grant grant : {Grant::signals, Grant::orders, Grant::alerts}) grants.add(grant);
  return grants;
}

// A window whose events have the ordinals 10, 20, 30 ..., and what one client reads of it: the texts of the frames.
struct World {
  World() { window.set_origin({"p.0"}); }

  // Orders of `owner`; the n-th publication is told as "{n}".
  void publish(int count, const UserId& owner = kAlice, OrderStatus status = OrderStatus::partially_filled) {
    for (; count > 0; --count) {
      auto made = std::make_shared<Publication>();
      made->sequence = window.end();
      made->ordinal = 10 * made->sequence;
      made->offset = {made->ordinal};
      made->position.text = "p." + std::to_string(made->ordinal);
      made->kind = EventKind::order_update;
      made->status = status;
      made->owner = owner;
      made->order_id = "o" + std::to_string(made->sequence % 3);
      made->accepted_at = now;
      protocol::append_text_frame(made->frame, "{" + std::to_string(made->sequence) + "}");
      made->mark_at = static_cast<std::uint32_t>(made->frame.size() - 1);
      window.append(made);
      state.apply(made);
    }
  }
  // Orders of alice's, of a log of the lanes a and b: "a1 b1 a2" is the first of each, then the second of a.
  void publish_in_lanes(std::string_view places) {
    for (; !places.empty(); places.remove_prefix(std::min<std::size_t>(3, places.size())))
      publish_at(places[0] == 'a' ? 0 : 1, {static_cast<std::uint64_t>(places[1] - '0')});
  }
  void publish_at(std::uint32_t lane, Offset offset) {
    reached.widen(2);
    reached.pass(lane, offset);
    auto made = std::make_shared<Publication>();
    made->sequence = made->ordinal = window.end();
    made->lane = lane;
    made->offset = offset;
    made->position = position_like({"p.0"}, reached);
    made->kind = EventKind::order_update;
    made->owner = kAlice;
    made->order_id = "o";
    made->accepted_at = now;
    protocol::append_text_frame(made->frame, "{" + made->position.text + "\"}");
    made->mark_at = static_cast<std::uint32_t>(made->frame.size() - 1);
    window.append(made);
    state.apply(made);
  }
  std::optional<GapReason> resume(std::uint64_t offset) { return resume("p." + std::to_string(offset)); }
  std::optional<GapReason> resume(std::string position) {
    return cursor.begin({.resume = place_of({std::move(position)})}, window, state, viewer, now);
  }
  std::string read(std::size_t bytes_max = 100'000) {
    std::string frames, texts;
    last = cursor.read(window, viewer, bytes_max, frames);
    for (std::string_view left = frames; !left.empty();) {
      const auto size = static_cast<std::size_t>(left[1]);
      texts.append(left.substr(2, size));
      left.remove_prefix(2 + size);
    }
    return texts;
  }
  [[nodiscard]] std::string position() const { return cursor.position(window).text; }

  Place reached;  // by publish_at()
  RecentWindow window{{}};
  CurrentState state;
  Cursor cursor;
  Reading last;
  MonoTime now{std::chrono::hours{10}};
  Grants grants = all_grants();
  Viewer viewer{kAlice, grants};
};

TEST(Cursor, ReplaysWhatWasMissedThenIsLive) {
  World w;
  w.publish(3);
  EXPECT_EQ(w.resume(10), std::nullopt);
  EXPECT_EQ(w.read(), R"({2,"replayed":true}{3,"replayed":true})");
  EXPECT_TRUE(w.last.is_live && w.last.at_end);
  EXPECT_EQ(w.last.replayed, 2U);
  EXPECT_EQ(w.position(), "p.30");
  w.publish(1);
  EXPECT_EQ(w.read(), "{4}");
  EXPECT_FALSE(w.last.is_live);
}

TEST(Cursor, MeetsWhatIsPublishedWhileItReplays) {
  World w;
  w.publish(2);
  EXPECT_EQ(w.resume(0), std::nullopt);
  EXPECT_EQ(w.read(1), R"({1,"replayed":true})");
  w.publish(1);
  EXPECT_EQ(w.position(), "p.10");
  EXPECT_EQ(w.read(1), R"({2,"replayed":true})");
  EXPECT_FALSE(w.last.is_live);
  EXPECT_EQ(w.read(1), R"({3,"replayed":true})");
  EXPECT_TRUE(w.last.is_live);
  EXPECT_EQ(w.last.replayed, 3U);
}

TEST(Cursor, IsLiveAtOnceWithNothingToReplay) {
  World w;
  w.publish(2);
  EXPECT_EQ(w.resume(20), std::nullopt);
  EXPECT_EQ(w.read(), "");
  EXPECT_TRUE(w.last.is_live);
  EXPECT_EQ(w.position(), "p.20");
}

TEST(Cursor, ResumesAtAPlaceThatNoPublicationHas) {
  World w;
  w.publish(3);
  EXPECT_EQ(w.resume(19), std::nullopt);  // of a record that was told to nobody
  EXPECT_EQ(w.read(), R"({2,"replayed":true}{3,"replayed":true})");
}

TEST(Cursor, ResumesFromTheWindowsEdgeAndNotFromBeforeIt) {
  World w;
  w.publish(1);
  w.now += std::chrono::minutes{59};
  w.publish(2);
  w.now += std::chrono::minutes{2};
  w.window.trim(w.now, w.window.end());  // of the first
  EXPECT_EQ(w.resume(9), GapReason::trimmed);
  EXPECT_EQ(w.resume(10), std::nullopt);
  EXPECT_EQ(w.read(), R"({2,"replayed":true}{3,"replayed":true})");
}

TEST(Cursor, AfterAGapGetsWhatStandsAndThenWhatIsNew) {
  World w;
  w.publish(4);  // of the orders 1, 2, 0, 1
  const auto gap = w.cursor.begin({.resume = std::unexpected(GapReason::epoch)}, w.window, w.state, w.viewer, w.now);
  EXPECT_EQ(gap, GapReason::epoch);
  EXPECT_FALSE(w.cursor.has_position());
  w.publish(1);  // not in the snapshot any more
  EXPECT_EQ(w.read(), R"({2,"snapshot":true}{3,"snapshot":true}{4,"snapshot":true})");
  EXPECT_TRUE(w.last.is_live && !w.last.at_end);
  EXPECT_EQ(w.last.replayed, 0U);
  EXPECT_EQ(w.position(), "p.40");
  EXPECT_EQ(w.read(), "{5}");
  EXPECT_TRUE(w.last.at_end);
}

TEST(Cursor, LeavesOutOfASnapshotWhatMayNotBeSeenAnyMore) {
  World w;
  w.publish(3);
  EXPECT_EQ(w.cursor.begin({}, w.window, w.state, w.viewer, w.now), std::nullopt);
  EXPECT_EQ(w.read(1), R"({1,"snapshot":true})");
  w.viewer.grants = {};
  EXPECT_EQ(w.read(), "");
  EXPECT_TRUE(w.last.is_live);
}

TEST(Cursor, WithoutASnapshotIsLiveAtOnce) {
  World w;
  w.publish(2);
  EXPECT_EQ(w.cursor.begin({.wants_snapshot = false}, w.window, w.state, w.viewer, w.now), std::nullopt);
  EXPECT_EQ(w.read(), "");
  EXPECT_TRUE(w.last.is_live);
  w.publish(1);
  EXPECT_EQ(w.read(), "{3}");
}

// Another shard, or another node, was quicker with this event than this one is.
TEST(Cursor, PassesWhatItsClientHasAlready) {
  World w;
  w.publish(1);
  EXPECT_EQ(w.resume(30), std::nullopt);
  EXPECT_EQ(w.read(), "");
  EXPECT_TRUE(w.last.is_live);
  EXPECT_EQ(w.position(), "p.30");
  w.publish(1);
  EXPECT_EQ(w.read(), "");
  EXPECT_EQ(w.position(), "p.30");
  w.publish(3);
  EXPECT_EQ(w.read(1), "{4}");
  EXPECT_EQ(w.position(), "p.40");  // though it is not at the end
  EXPECT_EQ(w.read(), "{5}");
  EXPECT_EQ(w.position(), "p.50");
}

// Its client comes from a node that read the lanes of the log in another order.
TEST(Cursor, GivesWhatIsLackedInEachLane) {
  World w;
  w.publish_in_lanes("a1 b1 a2 b2 a3 b3");
  EXPECT_EQ(w.resume("p.1.2"), std::nullopt);
  EXPECT_EQ(w.position(), "p.1.2");
  EXPECT_EQ(w.read(1), R"({p.2.2","replayed":true})");  // and not p.2.1, where this node is
  EXPECT_EQ(w.position(), "p.2.2");
  EXPECT_EQ(w.read(), R"({p.3.2","replayed":true}{p.3.3","replayed":true})");
  EXPECT_EQ(w.last.replayed, 3U);
  EXPECT_EQ(w.position(), "p.3.3");
}

TEST(Cursor, IsLeftAndResumedInTheMiddle) {
  World first, second;
  first.publish_in_lanes("a1 a2 a3 b1 b2");
  second.publish_in_lanes("b1 b2 a1 a2 a3");
  EXPECT_EQ(first.resume("p.0.1"), std::nullopt);
  EXPECT_EQ(first.read(1), R"({p.1.1","replayed":true})");
  EXPECT_EQ(second.resume(first.position()), std::nullopt);
  EXPECT_EQ(second.read(1), R"({p.1.2","replayed":true})");
  EXPECT_EQ(first.resume(second.position()), std::nullopt);
  EXPECT_EQ(first.read(), R"({p.2.2","replayed":true}{p.3.2","replayed":true})");
  EXPECT_EQ(first.position(), "p.3.2");
}

TEST(Cursor, IsLiveBeforeThisNodeHasComeAsFar) {
  World w;
  w.publish_at(0, {1});
  EXPECT_EQ(w.resume("p.1.2"), std::nullopt);
  EXPECT_EQ(w.read(), "");
  EXPECT_TRUE(w.last.is_live);
  EXPECT_EQ(w.position(), "p.1.2");
  w.publish_at(1, {1});
  w.publish_at(0, {2});
  EXPECT_EQ(w.read(), R"({p.2.2"})");
  w.publish_at(1, {2});
  EXPECT_EQ(w.read(), "");
  EXPECT_EQ(w.position(), "p.2.2");
  w.publish_at(1, {3});
  EXPECT_EQ(w.read(), R"({p.2.3"})");
}

// Other users' events end it too, read or passed.
TEST(Cursor, IsNoLongerAheadWhenTheNodeHasPassedItsPlace) {
  World w;
  w.publish_at(0, {1});
  EXPECT_EQ(w.resume("p.1.1"), std::nullopt);
  EXPECT_EQ(w.read(), "");
  w.publish_at(1, {1});
  w.cursor.pass(w.window.end());
  EXPECT_EQ(w.position(), "p.1.1");
  w.publish_at(0, {2});
  EXPECT_EQ(w.read(), R"({p.2.1"})");
}

TEST(Cursor, ALaneThatCameLaterIsLackedOrAhead) {
  World old, grown;
  old.publish(1);  // at 10, of one lane
  grown.publish_at(0, {10});
  grown.publish_at(1, {1});
  EXPECT_EQ(grown.resume("p.10"), std::nullopt);
  EXPECT_EQ(grown.read(), R"({p.10.1","replayed":true})");
  EXPECT_EQ(old.resume("p.10.1"), std::nullopt);
  EXPECT_EQ(old.read(), "");
  EXPECT_EQ(old.position(), "p.10.1");
}

TEST(Cursor, IsTrimmedWhereOneLaneIs) {
  World w;
  w.publish_at(0, {1});
  w.publish_at(1, {1});
  w.now += std::chrono::hours{2};
  w.window.trim(w.now, w.window.end());
  w.publish_at(0, {2});
  EXPECT_EQ(w.resume("p.9.0"), GapReason::trimmed);
  EXPECT_EQ(w.resume("p.1.1"), std::nullopt);
  EXPECT_EQ(w.read(), R"({p.2.1","replayed":true})");
}

TEST(Cursor, TellsWhenTheWindowHasMovedPastIt) {
  World w;
  w.publish(2);
  EXPECT_EQ(w.resume(0), std::nullopt);
  EXPECT_EQ(w.read(1), R"({1,"replayed":true})");
  w.now += std::chrono::hours{2};
  w.window.trim(w.now, w.window.end());
  EXPECT_EQ(w.read(), "");
  EXPECT_TRUE(w.last.gap);
}

TEST(Cursor, LooksAtABoundedNumberOfOthersEvents) {
  World w;
  w.publish(20'000, "bob");
  w.publish(1);
  EXPECT_EQ(w.resume(0), std::nullopt);
  int readings = 1;
  for (; w.read().empty(); ++readings) EXPECT_FALSE(w.last.at_end);
  EXPECT_TRUE(w.last.is_live);
  EXPECT_GE(readings, 3);
}

TEST(Cursor, HoldsForWhateverHappens) {
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    std::mt19937_64 random(seed);
    CursorTrial trial([&](std::size_t below) { return random() % below; });
    const char* complaint = nullptr;
    for (int step = 0; step < 400 && complaint == nullptr; ++step) complaint = trial.step();
    if (complaint == nullptr) complaint = trial.finish();
    ASSERT_EQ(complaint, nullptr) << complaint << ", seed " << seed;
  }
}

}  // namespace
}  // namespace carillon::hub
