// What a log does that has a retention of its own: what it keeps of orders, and when it trims.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "eventlog/event_log_suite.hpp"
#include "eventlog/log_worlds.hpp"

namespace carillon::eventlog {
namespace {

template <class World>
class RetentionSuite : public EventLogSuite<World> {
 protected:
  // So much time passes while the log is not followed, then what is too old leaves, and the log is started again.
  void restart_after(std::chrono::hours time) {
    this->world().reopen();
    this->world().clock.advance(time);
    this->restart();
    this->world().retain(this->sink().wait_for(0));
    this->restart();
  }
  // What the sink was offered: of the kept steps, and of the records.
  Strings offered(bool kept) {
    Strings bytes;
    for (const StoredRecord& record : this->sink().wait_for(0)) {
      if (record.is_kept == kept) bytes.push_back(record.bytes);
    }
    return bytes;
  }
};

using Worlds = testing::Types<MemoryWorld, JournalWorld>;
TYPED_TEST_SUITE(RetentionSuite, Worlds);

TYPED_TEST(RetentionSuite, IsFollowedFromItsOldestRecordAfterARestart) {
  this->start();
  this->add({"a", "b"});
  this->restart_after(std::chrono::hours{23});
  this->add({"c"});
  EXPECT_EQ(this->offered(false), (Strings{"a", "b", "c"}));
  EXPECT_EQ(place_of(this->log().origin().position), Place());

  this->restart_after(std::chrono::hours{2});
  EXPECT_EQ(this->offered(false), (Strings{"c"}));
  const StoredRecord first = this->sink().wait_for(1)[0];
  const Position before = this->log().origin().position;
  EXPECT_FALSE(place_of(before).covers(first.lane, first.offset));
  EXPECT_EQ(this->log().locate(before.text), place_of(before));
}

TYPED_TEST(RetentionSuite, TrimsNothingThatIsNotSettled) {
  this->start();
  this->add({"a", "b", "c"});
  this->world().reopen();
  this->world().clock.advance(std::chrono::hours{25});
  for (const std::size_t settled : {0U, 2U}) {
    RecordingSink sink;
    ASSERT_TRUE(this->log().start(sink));
    const std::vector<StoredRecord> seen = sink.wait_for(3);
    EXPECT_EQ(bytes_of(seen), (Strings{"a", "b", "c"}));
    if (settled != 0) this->log().settle({seen[settled - 1].ordinal, {}});
    this->world().retain(seen);
    this->world().reopen();
  }
  this->restart();
  EXPECT_EQ(bytes_of(this->sink().wait_for(1)), (Strings{"c"}));
}

TYPED_TEST(RetentionSuite, KeepsTheLastStepOfEachOrderThatItTrims) {
  this->start();
  this->add({"order a 1", "other", "order a 2", "order b 1", "another"});
  const std::vector<StoredRecord> before = this->sink().wait_for(5);
  this->restart_after(std::chrono::hours{25});
  EXPECT_EQ(this->offered(true), (Strings{"order a 2", "order b 1"}));
  EXPECT_EQ(this->offered(false), Strings{});
  EXPECT_EQ(this->log().origin().position, before[4].position);
  const std::vector<StoredRecord> kept = this->sink().wait_for(2);
  EXPECT_EQ(kept[0].position, before[2].position);
  EXPECT_EQ(kept[0].ordinal, before[2].ordinal);
  EXPECT_EQ(kept[0].logged_at, before[2].logged_at);
  EXPECT_EQ(this->log().locate(kept[1].position.text), place_of(before[3].position));

  // Still there after another start, before what came since; replaced when the order has moved on and that is trimmed.
  this->add({"order a 3"});
  this->restart();
  EXPECT_EQ(bytes_of(this->sink().wait_for(3)), (Strings{"order a 2", "order b 1", "order a 3"}));
  this->restart_after(std::chrono::hours{25});
  EXPECT_EQ(this->offered(true), (Strings{"order b 1", "order a 3"}));
}

TYPED_TEST(RetentionSuite, ForgetsAnOrderThatEndedLongerAgoThanRetention) {
  this->start();
  this->add({"order a 1", "order b 1", "order a end"});
  this->restart_after(std::chrono::hours{25});
  EXPECT_EQ(this->offered(true), (Strings{"order b 1", "order a end"}));
  this->add({"now"});
  // The log has no record yet that is longer after the end.
  this->restart_after(std::chrono::hours{24});
  EXPECT_EQ(this->offered(true), (Strings{"order b 1", "order a end"}));
  this->restart_after(std::chrono::hours{1});
  EXPECT_EQ(this->offered(true), (Strings{"order b 1"}));
}

TYPED_TEST(RetentionSuite, KnowsTheIdsOfWhatItKeeps) {
  this->start();
  this->add({"order a 1", "order a 2", "other"});
  const Position kept = this->sink().wait_for(3)[1].position;
  this->restart_after(std::chrono::hours{25});
  const Result<Appended> same = this->append({{"order a 2", "order a 2"}});
  ASSERT_TRUE(same);
  EXPECT_EQ(same->duplicates, 1u);
  EXPECT_EQ(same->position, kept);
  EXPECT_EQ(this->append({{"order a 2", "changed"}}).error().kind, ErrorKind::conflict);
  EXPECT_EQ(this->append({{"order a 1", "changed"}, {"other", "changed"}})->accepted, 2u);
}

TYPED_TEST(RetentionSuite, HasCaughtUpWhenTheSinkTookTheKeptStepsToo) {
  this->start();
  this->add({"order a 1"});
  this->restart_after(std::chrono::hours{25});
  this->world().reopen();
  RecordingSink full(0);
  ASSERT_TRUE(this->log().start(full));
  ASSERT_TRUE(full.wait_until_full());
  EXPECT_FALSE(this->log().has_caught_up());
  full.make_room(1);
  this->log().sink_has_room();
  EXPECT_TRUE(comes_true([&] { return this->log().has_caught_up(); }));
  EXPECT_EQ(bytes_of(full.wait_for(1)), (Strings{"order a 1"}));
  this->world().reopen();
}

// Remembers every record, and says what a log must still hold.
class OrderModel {
 public:
  void saw(const std::vector<StoredRecord>& records) {
    for (const StoredRecord& record : records) all_[record.ordinal] = record;
  }
  // The last steps before `low` of the orders that a node knows when it has seen the log up to `seen`.
  [[nodiscard]] std::vector<Ordinal> steps_before(Ordinal low, Ordinal seen) const {
    std::map<std::string, Ordinal> orders;
    WallTime log_time;
    for (const auto& [ordinal, record] : all_) {
      if (ordinal <= seen) log_time = std::max(log_time, record.logged_at);
      if (ordinal >= low || !record.bytes.starts_with("order ")) continue;
      orders[record.bytes.substr(0, record.bytes.rfind(' '))] = ordinal;
    }
    std::vector<Ordinal> steps;
    for (const auto& [order, ordinal] : orders) {
      const StoredRecord& step = all_.at(ordinal);
      const bool is_over = step.bytes.ends_with("end") && step.logged_at < log_time - std::chrono::hours{24};
      if (!is_over) steps.push_back(ordinal);
    }
    std::ranges::sort(steps);
    return steps;
  }
  [[nodiscard]] std::vector<Ordinal> from(Ordinal low) const {
    std::vector<Ordinal> ordinals;
    for (auto each = all_.lower_bound(low); each != all_.end(); ++each) ordinals.push_back(each->first);
    return ordinals;
  }
  [[nodiscard]] const StoredRecord& at(Ordinal ordinal) const { return all_.at(ordinal); }

 private:
  std::map<Ordinal, StoredRecord> all_;
};

TYPED_TEST(RetentionSuite, ARestartFindsTheOrdersWhateverWasTrimmed) {
  std::mt19937 random(7);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same run every time
  OrderModel model;
  std::vector<int> open_orders;
  int made = 0;
  this->start();
  for (int round = 0; round < 60; ++round) {
    SCOPED_TRACE(round);
    Strings bytes;
    for (std::uint32_t count = random() % 12; count > 0; --count) {
      const std::string number = std::to_string(++made);
      if (random() % 3 == 0) open_orders.push_back(made);
      if (open_orders.empty() || random() % 4 == 0) {
        bytes.push_back("other " + number);
        continue;
      }
      const std::size_t which = random() % open_orders.size();
      const bool ends = random() % 3 == 0;
      bytes.push_back("order " + std::to_string(open_orders[which]) + " " + number + (ends ? "end" : ""));
      if (ends) open_orders.erase(open_orders.begin() + static_cast<std::ptrdiff_t>(which));
    }
    if (!bytes.empty()) this->add(bytes);
    model.saw(this->sink().wait_for(0));
    this->restart_after(std::chrono::hours{random() % 20});

    std::vector<Ordinal> kept;
    std::vector<Ordinal> records;
    for (const StoredRecord& record : this->sink().wait_for(0)) {
      (record.is_kept ? kept : records).push_back(record.ordinal);
      EXPECT_EQ(record.bytes, model.at(record.ordinal).bytes);
      EXPECT_EQ(record.position, model.at(record.ordinal).position);
    }
    const Ordinal low = place_of(this->log().origin().position).at(0).high + 1;
    EXPECT_EQ(records, model.from(low));
    EXPECT_TRUE(std::ranges::includes(kept, model.steps_before(low, low))) << "an order is lost";
    EXPECT_TRUE(std::ranges::includes(model.steps_before(low, low - 1), kept)) << "an order stays for ever";
  }
}

}  // namespace
}  // namespace carillon::eventlog
