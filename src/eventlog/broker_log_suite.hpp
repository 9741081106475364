#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "eventlog/broker_log.hpp"
#include "eventlog/event_log_suite.hpp"
#include "telemetry/metrics.hpp"

// For tests: what the event log does on every broker, whatever becomes of the broker. A world is one of EventLogSuite
// and has more verbs, each returning when it is done:
//   std::unique_ptr<Broker> broker();  as another node, or a producer, would reach the same log
//   Node& node();                      log() as a node
//   void kill(); void bring_back();    the server's process, at once; its data stay
//   void pause(); void resume();       it does nothing, and its connections stay
//   void trim(std::size_t keep);       about so many of the newest records stay
//   void recreate();                   the log is deleted and made anew, empty
//   void put(std::string bytes);       a foreign record without an id
namespace carillon::eventlog {

// A log on a broker with what belongs to its process.
class Node {
 public:
  Node(std::unique_ptr<Broker> broker, BrokerLog::Options options, const Clock& clock)
      : log_(std::move(broker), with_gap(std::move(options)), clock, registry_) {}

  EventLog& log() { return log_; }
  // What the log told of before it followed no more; nothing after all patience.
  [[nodiscard]] std::optional<GapReason> wait_for_gap() {
    if (told_.wait_for(kWitnessPatience) != std::future_status::ready) return std::nullopt;
    return told_.get();
  }
  [[nodiscard]] bool has_gap() const { return told_.wait_for(std::chrono::seconds{0}) == std::future_status::ready; }

 private:
  BrokerLog::Options with_gap(BrokerLog::Options options) {
    options.on_gap = [this](GapReason reason) { gap_.set_value(reason); };
    return options;
  }

  std::promise<GapReason> gap_;
  std::shared_future<GapReason> told_ = gap_.get_future().share();
  telemetry::Registry registry_;
  BrokerLog log_;
};

inline bool contains(const Strings& all, const std::string& one) {
  return std::ranges::find(all, one) != all.end();
}

// Times that suit a test.
inline BrokerLog::Options test_options() {
  constexpr Backoff::Options kSoon{.first = milliseconds{5}, .most = milliseconds{100}, .at_least_half = true};
  return {.appending = {.backoff = kSoon}, .following = {.backoff = kSoon, .look_interval = milliseconds{50}}};
}

// Producers that append one record after the other, each on its own thread and with its own key, and remember which
// were acknowledged. Where an append fails they wait until they are told to go on.
class Producers {
 public:
  Producers(EventLog& log, std::size_t count) {
    acknowledged_.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
      threads_.emplace_back([this, &log, i] { run(log, "p" + std::to_string(i), acknowledged_[i]); });
    }
  }
  ~Producers() { stop(); }
  Producers(const Producers&) = delete;
  Producers& operator=(const Producers&) = delete;

  bool wait_for(std::size_t acknowledged) {
    return comes_true([&] { return total_ >= acknowledged; });
  }
  // So many more, whatever fails meanwhile.
  bool insist(std::size_t more) {
    const std::size_t enough = total_ + more;
    return comes_true([&] {
      go_on();
      return total_ >= enough;
    });
  }
  bool wait_for_failure() {
    return comes_true([&] { return failures_ > 0; });
  }
  void go_on() {
    ++goes_;
    goes_.notify_all();
  }
  void stop() {
    stops_ = true;
    go_on();
    threads_.clear();
  }
  // By producer, in the order of their acknowledgement. After stop().
  [[nodiscard]] const std::vector<Strings>& acknowledged() const { return acknowledged_; }

 private:
  void run(EventLog& log, const std::string& name, Strings& acknowledged) {
    for (std::size_t number = 0; !stops_; ++number) {
      const std::uint64_t goes = goes_;
      const std::string bytes = name + " " + std::to_string(number);
      if (append(log, {{bytes, bytes, name}})) {
        acknowledged.push_back(bytes);
        ++total_;
        continue;
      }
      ++failures_;
      if (!stops_) goes_.wait(goes);
    }
  }

  std::atomic<bool> stops_{false};
  std::atomic<std::uint64_t> goes_{0};
  std::atomic<std::size_t> total_{0};
  std::atomic<std::size_t> failures_{0};
  std::vector<Strings> acknowledged_;
  std::vector<std::jthread> threads_;
};

template <class World>
class BrokerLogSuite : public EventLogSuite<World> {
 protected:
  // Another node on the same log, as a second process would be.
  std::unique_ptr<Node> another_node() {
    return std::make_unique<Node>(this->world().broker(), test_options(), clock_);
  }
  // Appends until it is acknowledged, as one who publishes does; the bytes are the id.
  void insist(EventLog& log, const std::string& bytes) {
    EXPECT_TRUE(comes_true([&] { return eventlog::append(log, in_one_lane({{bytes, bytes}})).has_value(); })) << bytes;
  }
  // What the sink has of these, each as often as it has it.
  Strings seen_of(RecordingSink& sink, const std::string& prefix) {
    Strings seen = bytes_of(sink.wait_for(0));
    std::erase_if(seen, [&](const std::string& bytes) { return !bytes.starts_with(prefix); });
    return seen;
  }
  [[nodiscard]] bool sees(RecordingSink& sink, const std::string& bytes) {
    return comes_true([&] { return contains(bytes_of(sink.wait_for(0)), bytes); });
  }
  // The node hands over no more than this one record, for its sink is full.
  void get_stuck() {
    this->sink().make_room(0);
    this->start();
    ASSERT_TRUE(this->append({{"0", "0"}}));
    ASSERT_TRUE(this->sink().wait_until_full());
  }
  // Another node appends 1 to 49, then only some of the last stay.
  void let_pass_by() {
    RecordingSink other_sink;
    const auto other = another_node();
    ASSERT_TRUE(other->log().start(other_sink));
    for (int i = 1; i < 50; ++i) {
      ASSERT_TRUE(eventlog::append(other->log(), in_one_lane({{std::to_string(i), std::to_string(i)}})));
    }
    this->world().trim(5);
  }
  void get_unstuck() {
    this->sink().make_room(SIZE_MAX);
    this->log().sink_has_room();
  }

  SystemClock clock_;
};

TYPED_TEST_SUITE_P(BrokerLogSuite);

TYPED_TEST_P(BrokerLogSuite, EveryNodeSeesTheSame) {
  this->start();
  RecordingSink second_sink;
  const auto second = this->another_node();
  ASSERT_TRUE(second->log().start(second_sink));
  for (int i = 0; i < 20; ++i) {
    const std::string id = std::to_string(i);
    ASSERT_TRUE(append(i % 2 == 0 ? this->log() : second->log(), in_one_lane({{id, id}})));
  }
  const std::vector<StoredRecord> seen = this->sink().wait_for(20);
  const std::vector<StoredRecord> seen_there = second_sink.wait_for(20);
  EXPECT_EQ(bytes_of(seen), bytes_of(seen_there));
  EXPECT_EQ(positions_of(seen), positions_of(seen_there));
  for (const StoredRecord& record : seen) EXPECT_TRUE(second->log().locate(record.position.text));
}

TYPED_TEST_P(BrokerLogSuite, KnowsTheIdsThatAnotherNodeAppended) {
  this->start();
  RecordingSink second_sink;
  const auto second = this->another_node();
  ASSERT_TRUE(second->log().start(second_sink));
  ASSERT_TRUE(this->append({{"a", "A"}}));
  ASSERT_EQ(second_sink.wait_for(1).size(), 1u);
  const Result<Appended> again = append(second->log(), in_one_lane({{"a", "A"}}));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->duplicates, 1u);
  EXPECT_EQ(append(second->log(), in_one_lane({{"a", "other"}})).error().kind, ErrorKind::conflict);
}

TYPED_TEST_P(BrokerLogSuite, KeepsAForeignRecordAsOneDeadLetterOfAllNodes) {
  this->start();
  RecordingSink second_sink;
  const auto second = this->another_node();
  ASSERT_TRUE(second->log().start(second_sink));
  const std::string poison = std::string("no event\n\0\xff", 11);
  this->world().put(poison);
  EXPECT_TRUE(this->sees(this->sink(), poison));
  this->add({"after"});
  const std::vector<StoredRecord> seen = this->sink().wait_for(2);
  const auto foreign = std::ranges::find(seen, poison, &StoredRecord::bytes);
  ASSERT_NE(foreign, seen.end());
  ASSERT_EQ(second_sink.wait_for(2).size(), 2u);
  EXPECT_EQ(this->located(foreign->position).at(foreign->lane), foreign->offset);

  DeadLetter letter = letter_at(foreign->position);
  letter.bytes = poison;
  this->log().put_dead_letter(letter);
  second->log().put_dead_letter(letter);
  for (EventLog* log : {&this->log(), &second->log()}) {
    const Result<std::vector<DeadLetter>> letters = dead_letters(*log, 10);
    ASSERT_TRUE(letters) << letters.error().message;
    ASSERT_EQ(positions_of(*letters), (std::vector{foreign->position}));
    EXPECT_EQ(letters->front().bytes, poison);
  }
  EXPECT_TRUE(remove_dead_letter(second->log(), foreign->position));
  EXPECT_TRUE(dead_letters(this->log(), 10)->empty());
  this->restart();
  EXPECT_TRUE(this->log().origin().buried_up_to.covers(foreign->lane, foreign->offset));
  this->log().put_dead_letter(letter);
  EXPECT_TRUE(dead_letters(this->log(), 10)->empty());
}

TYPED_TEST_P(BrokerLogSuite, LosesAndRepeatsNothingThatWasAcknowledgedOverAKill) {
  constexpr std::size_t kPart = 100;
  this->start();
  Producers producers(this->log(), 3);
  ASSERT_TRUE(producers.wait_for(kPart));
  this->world().kill();
  EXPECT_TRUE(producers.wait_for_failure());
  EXPECT_TRUE(comes_true([&] { return !this->log().is_writable(); }));
  this->world().bring_back();
  EXPECT_TRUE(comes_true([&] { return this->log().is_writable(); }));
  ASSERT_TRUE(producers.insist(kPart));
  producers.stop();

  const auto expect_all = [&](RecordingSink& sink) {
    for (std::size_t i = 0; i < producers.acknowledged().size(); ++i) {
      const Strings& acknowledged = producers.acknowledged()[i];
      const std::string name = "p" + std::to_string(i) + " ";
      if (!acknowledged.empty()) EXPECT_TRUE(this->sees(sink, acknowledged.back()));
      // Others may be there, whose outcome was not known; each once.
      Strings seen = this->seen_of(sink, name);
      EXPECT_EQ(std::set(seen.begin(), seen.end()).size(), seen.size());
      std::erase_if(seen, [&](const std::string& bytes) { return !contains(acknowledged, bytes); });
      EXPECT_EQ(seen, acknowledged);
    }
  };
  expect_all(this->sink());
  RecordingSink second_sink;
  const auto second = this->another_node();
  ASSERT_TRUE(second->log().start(second_sink));
  expect_all(second_sink);
}

TYPED_TEST_P(BrokerLogSuite, GoesOnWhenTheBrokerIsBackAfterBothWereQuiet) {
  this->start();
  this->add({"a", "b"});
  this->world().kill();
  EXPECT_TRUE(comes_true([&] { return !this->log().is_writable(); }));
  const Result<Appended> refused = this->append({{"c", "c"}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::unavailable);
  EXPECT_TRUE(this->log().has_caught_up());
  this->world().bring_back();
  EXPECT_TRUE(comes_true([&] { return this->log().is_writable(); }));
  this->insist(this->log(), "d");
  EXPECT_TRUE(this->sees(this->sink(), "d"));
  Strings seen = bytes_of(this->sink().wait_for(3));
  std::erase(seen, "c");
  EXPECT_EQ(seen, (Strings{"a", "b", "d"}));
  EXPECT_FALSE(this->world().node().has_gap());
}

TYPED_TEST_P(BrokerLogSuite, AnswersAndGoesOnWhenTheBrokerIsSlow) {
  this->start();
  this->add({"before"});
  this->world().pause();
  const Result<Appended> late = this->append({{"late", "late"}});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind, ErrorKind::unavailable);
  this->world().resume();
  this->insist(this->log(), "after");
  EXPECT_TRUE(this->sees(this->sink(), "after"));
  Strings seen = bytes_of(this->sink().wait_for(2));
  std::erase(seen, "late");
  EXPECT_EQ(seen, (Strings{"before", "after"}));
  EXPECT_FALSE(this->world().node().has_gap());
}

TYPED_TEST_P(BrokerLogSuite, WaitsAtStartForABrokerThatIsDown) {
  this->world().kill();
  std::atomic<bool> started = false;
  std::jthread starts([&] {
    this->start();
    started = true;
  });
  EXPECT_EQ(this->append({{"a", "a"}}).error().kind, ErrorKind::unavailable);
  EXPECT_FALSE(started);
  this->world().bring_back();
  starts.join();
  EXPECT_TRUE(started);
  this->add({"b"});
}

TYPED_TEST_P(BrokerLogSuite, StopsWhileItWaitsForTheBroker) {
  this->world().kill();
  Result<> started;
  std::jthread starts([&] { started = this->log().start(this->sink()); });
  this->log().abandon_start();
  starts.join();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().kind, ErrorKind::unavailable);
  this->world().bring_back();

  this->world().reopen();
  this->start();
  this->add({"a"});
  this->world().kill();
  this->log().put_dead_letter(letter_at(this->sink().wait_for(1)[0].position));
  Answer<Appended> answer = begin_append(this->log(), in_one_lane({{"b", "b"}}));
  this->log().stop();
  const Result<Appended> appended = answer.wait();
  ASSERT_FALSE(appended);
  EXPECT_EQ(appended.error().kind, ErrorKind::unavailable);
  this->world().bring_back();
}

TYPED_TEST_P(BrokerLogSuite, GoesOnWhereWhatItHasSeenIsTrimmed) {
  this->start();
  this->fill(50);
  this->world().trim(5);
  this->add({"after"});
  EXPECT_FALSE(this->world().node().has_gap());
  this->world().kill();
  this->world().bring_back();
  this->insist(this->log(), "later");
  EXPECT_TRUE(this->sees(this->sink(), "later"));
  EXPECT_FALSE(this->world().node().has_gap());
}

TYPED_TEST_P(BrokerLogSuite, SkipsNothingInSilenceThatIsTrimmed) {
  this->get_stuck();
  this->let_pass_by();
  this->get_unstuck();
  // What its connection brought before the trim it has.
  EXPECT_TRUE(
      comes_true([&] { return this->world().node().has_gap() || contains(this->seen_of(this->sink(), ""), "49"); }));
  const Strings seen = this->seen_of(this->sink(), "");
  for (std::size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i], std::to_string(i));
  if (this->world().node().has_gap()) EXPECT_EQ(this->world().node().wait_for_gap(), GapReason::trimmed);
}

TYPED_TEST_P(BrokerLogSuite, TellsThatWhatItHasNotSeenIsTrimmed) {
  this->get_stuck();
  this->world().kill();
  this->world().bring_back();
  this->let_pass_by();
  this->get_unstuck();
  EXPECT_EQ(this->world().node().wait_for_gap(), GapReason::trimmed);
  EXPECT_EQ(bytes_of(this->sink().wait_for(1)), (Strings{"0"}));
}

TYPED_TEST_P(BrokerLogSuite, BeginsAfterWhatIsTrimmed) {
  this->start();
  // More than a broker keeps in one piece, for only whole pieces leave.
  const std::vector<Position> at = this->fill(500);
  this->log().stop();
  this->world().trim(5);
  this->restart();
  const std::vector<StoredRecord> seen = this->sink().wait_for(1);
  ASSERT_GE(seen.size(), 1u);
  ASSERT_LT(seen.size(), at.size());
  // A client may go on from the origin, and not from a place before it.
  const Place origin = place_of(this->log().origin().position);
  const std::size_t first = at.size() - seen.size();
  EXPECT_EQ(seen.front().bytes, "fill-" + std::to_string(first));
  // Where the broker takes numbers for itself, nobody may know that no record stood at the one before the first.
  if constexpr (!requires { typename TypeParam::HasHoles; }) {
    EXPECT_TRUE(this->located(at[first - 1]).covers(origin));
  }
  EXPECT_FALSE(this->located(at[first - 2]).covers(origin));
  EXPECT_EQ(positions_of(seen), (std::vector(at.begin() + static_cast<std::ptrdiff_t>(first), at.end())));
}

TYPED_TEST_P(BrokerLogSuite, TellsThatTheLogIsAnotherOne) {
  this->start();
  const std::vector<Position> at = this->fill(10);
  this->world().recreate();
  EXPECT_EQ(this->world().node().wait_for_gap(), GapReason::epoch);

  this->restart();
  EXPECT_EQ(this->log().locate(at[0].text), std::unexpected(GapReason::epoch));
  this->add({"new"});
  EXPECT_EQ(bytes_of(this->sink().wait_for(1)), (Strings{"new"}));
  EXPECT_TRUE(has_reached(this->log(), this->located(this->sink().wait_for(1)[0].position)));
}

TYPED_TEST_P(BrokerLogSuite, FindsOutAtStartThatTheLogIsAnotherOne) {
  this->start();
  const std::vector<Position> at = this->fill(10);
  this->log().stop();
  this->world().recreate();
  this->restart();
  EXPECT_EQ(this->log().locate(at[0].text), std::unexpected(GapReason::epoch));
  const std::vector<Position> anew = this->fill(3);
  const Position same = anew.back();
  // For good: the next one of this log takes its positions, and another node's.
  this->restart();
  EXPECT_EQ(positions_of(this->sink().wait_for(3)), anew);
  RecordingSink second_sink;
  const auto second = this->another_node();
  ASSERT_TRUE(second->log().start(second_sink));
  EXPECT_TRUE(second->log().locate(same.text));
  EXPECT_EQ(second->log().locate(at[0].text), std::unexpected(GapReason::epoch));
}

REGISTER_TYPED_TEST_SUITE_P(BrokerLogSuite, EveryNodeSeesTheSame, KnowsTheIdsThatAnotherNodeAppended,
                            KeepsAForeignRecordAsOneDeadLetterOfAllNodes,
                            LosesAndRepeatsNothingThatWasAcknowledgedOverAKill,
                            GoesOnWhenTheBrokerIsBackAfterBothWereQuiet, AnswersAndGoesOnWhenTheBrokerIsSlow,
                            WaitsAtStartForABrokerThatIsDown, StopsWhileItWaitsForTheBroker,
                            GoesOnWhereWhatItHasSeenIsTrimmed, SkipsNothingInSilenceThatIsTrimmed,
                            TellsThatWhatItHasNotSeenIsTrimmed, BeginsAfterWhatIsTrimmed, TellsThatTheLogIsAnotherOne,
                            FindsOutAtStartThatTheLogIsAnotherOne);

}  // namespace carillon::eventlog
