#include "eventlog/redis_trail.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <vector>

namespace carillon::eventlog {
namespace {

// A stream as Redis keeps it, and a reader of it that knows what Redis does not say.
class World {
 public:
  void add(int count = 1) {
    for (; count > 0; --count) {
      state_.last = {++clock_, incarnation_};
      there_.push_back(state_.last);
      ++state_.added;
    }
    state_.exists = true;
  }
  // XTRIM MAXLEN
  void trim(std::size_t keep) {
    while (there_.size() > keep) take(there_.begin());
  }
  // XDEL of the entry so many before the newest
  void remove(std::size_t from_end) {
    if (from_end >= there_.size()) return;
    const auto entry = there_.end() - 1 - static_cast<std::ptrdiff_t>(from_end);
    state_.deleted = std::max(state_.deleted, *entry);
    take(entry);
  }
  // DEL; what is added then has higher ids, or lower ones where the clock is set back.
  void recreate(std::uint64_t clock) {
    state_ = {};
    there_.clear();
    gone_.clear();
    clock_ = clock;
    ++incarnation_;
  }
  // A replica that had less takes over.
  void become(const World& replica, std::uint64_t clock) {
    state_ = replica.state_;
    there_ = replica.there_;
    gone_ = replica.gone_;
    clock_ = clock;
  }
  [[nodiscard]] std::uint64_t clock() const { return clock_; }

  void seek(Offset after) {
    trail_.begin(after, state());
    followed_ = incarnation_;
  }
  // Reads up to `most` entries and says what the trail says.
  std::optional<GapReason> read(std::size_t most = 100) {
    RedisTrail::Found found;
    std::vector<Offset> entries;
    for (const Offset entry : there_) {
      if (entry >= trail_.place()) entries.push_back(entry);
    }
    found.is_all = entries.size() <= most;
    if (!found.is_all) entries.resize(most + 1);
    found.has_place = !entries.empty() && entries.front() == trail_.place();
    found.after = entries.size() - (found.has_place ? 1 : 0);
    if (found.after > 0) found.last = entries.back();
    return trail_.go_on(state(), found);
  }
  std::optional<GapReason> look() const { return trail_.look(state()); }
  [[nodiscard]] Offset place() const { return trail_.place(); }

  // What an all-knowing reader would say.
  [[nodiscard]] bool has_lost() const {
    return followed_ != incarnation_ || std::ranges::any_of(gone_, [&](Offset each) { return each > trail_.place(); });
  }

  [[nodiscard]] RedisStreamState state() const {
    RedisStreamState state = state_;
    state.length = there_.size();
    if (!there_.empty()) state.first = there_.front();
    return state;
  }

 private:
  void take(std::vector<Offset>::iterator entry) {
    gone_.push_back(*entry);
    there_.erase(entry);
  }

  RedisStreamState state_;
  std::vector<Offset> there_;
  std::vector<Offset> gone_;
  std::uint64_t clock_ = 1000;
  std::uint64_t incarnation_ = 0;
  std::uint64_t followed_ = 0;
  RedisTrail trail_;
};

constexpr std::optional<GapReason> kNone = std::nullopt;

TEST(RedisTrail, GoesOnWhereNothingWasLost) {
  World world;
  world.seek({});
  EXPECT_EQ(world.read(), kNone);
  world.add(10);
  EXPECT_EQ(world.read(4), kNone);
  EXPECT_EQ(world.place(), (Offset{1005, 0}));
  EXPECT_EQ(world.read(4), kNone);
  EXPECT_EQ(world.place(), (Offset{1009, 0}));
  EXPECT_EQ(world.read(), kNone);
  world.trim(0);
  EXPECT_EQ(world.look(), kNone);
  EXPECT_EQ(world.read(), kNone);
}

TEST(RedisTrail, TellsTrimmingUpToThePlaceFromTrimmingBeyond) {
  for (const std::size_t keep : {11U, 10U, 9U, 0U}) {
    World world;
    world.seek({});
    world.add(10);
    EXPECT_EQ(world.read(), kNone);
    world.add(10);
    world.trim(keep);
    const auto expected = keep < 10 ? std::optional(GapReason::trimmed) : kNone;
    EXPECT_EQ(world.look(), expected) << keep;
    EXPECT_EQ(world.read(), expected) << keep;
  }
}

TEST(RedisTrail, MindsADeletedEntryThatWasNotRead) {
  World world;
  world.seek({});
  world.add(10);
  EXPECT_EQ(world.read(), kNone);
  world.remove(0);
  world.remove(5);
  EXPECT_EQ(world.read(), kNone);
  world.add(3);
  world.remove(1);
  EXPECT_EQ(world.read(), GapReason::trimmed);
}

TEST(RedisTrail, KnowsAnotherStreamByWhatWentBack) {
  const auto after_ten = [] {
    World world;
    world.seek({});
    world.add(10);
    EXPECT_EQ(world.read(), kNone);
    return world;
  };
  World lower = after_ten();
  lower.recreate(500);
  EXPECT_EQ(lower.read(), GapReason::epoch);  // nothing there yet
  lower.add(3);
  EXPECT_EQ(lower.read(), GapReason::epoch);

  World higher = after_ten();
  higher.recreate(higher.clock());
  higher.add(3);
  EXPECT_EQ(higher.read(), GapReason::epoch);
  higher.add(30);
  EXPECT_EQ(higher.read(), GapReason::epoch);

  World across = after_ten();
  across.recreate(980);
  across.add(1);
  across.recreate(1009);  // with ids from the place on, and none before it
  across.add(20);
  EXPECT_EQ(across.read(), GapReason::epoch);
}

TEST(RedisTrail, MissesTheEntryAtItsPlaceAfterAStaleCopyTookOver) {
  World world;
  world.add(6);
  // From the middle, so that the count is not known: the place alone tells.
  world.seek({1003, 0});
  const World copy = world;
  world.add(4);
  EXPECT_EQ(world.read(4), kNone);
  EXPECT_EQ(world.place(), (Offset{1007, 0}));
  world.become(copy, 1020);
  world.add(9);
  EXPECT_EQ(world.read(4), GapReason::epoch);
}

TEST(RedisTrail, BeforeFirstIsAsEarlyAsCanBeKnown) {
  World world;
  EXPECT_EQ(world.state().before_first(), Offset{});
  world.add(10);
  EXPECT_EQ(world.state().before_first(), Offset{});
  world.trim(4);
  EXPECT_EQ(world.state().before_first().high, 1006U);
  world.remove(1);
  EXPECT_EQ(world.state().before_first(), (Offset{1009, 0}));
  world.trim(0);
  EXPECT_EQ(world.state().before_first(), (Offset{1010, 0}));
}

// Whatever happens to a stream, the trail says a gap exactly where an entry was lost before it was read.
TEST(RedisTrail, IsNeverSilentAndNeverWrong) {
  std::mt19937 random(7);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same every time
  const auto below = [&](std::uint32_t bound) { return static_cast<std::size_t>(random() % bound); };
  std::map<bool, int> outcomes;
  for (int round = 0; round < 20'000; ++round) {
    World world;
    world.add(static_cast<int>(below(5)));
    world.trim(below(8));
    const Offset begin = world.state().before_first();
    world.seek(begin);
    for (int step = 0; step < 20; ++step) {
      world.add(static_cast<int>(below(4)));
      if (below(4) == 0) world.trim(below(6));
      if (below(12) == 0) world.remove(below(5));
      if (below(40) == 0 && world.place() != begin) {
        world.recreate(world.clock() - below(10));
        world.add(static_cast<int>(below(6)));
      }
      const bool has_lost = world.has_lost();
      const auto looked = world.look();
      const auto gap = world.read(1 + below(4));
      ASSERT_EQ(gap.has_value(), has_lost) << "round " << round << ", step " << step;
      ASSERT_TRUE(!looked || gap) << "round " << round << ", step " << step;
      ++outcomes[has_lost];
      if (gap) break;
    }
  }
  EXPECT_GT(outcomes[true], 1000);
  EXPECT_GT(outcomes[false], 1000);
}

}  // namespace
}  // namespace carillon::eventlog
