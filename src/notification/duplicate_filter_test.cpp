#include "notification/duplicate_filter.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "protocol/envelope.hpp"

namespace carillon::notification {
namespace {

using Verdict = DuplicateFilter::Verdict;
constexpr WallTime kStart{std::chrono::seconds{1795348800}};

Event parsed(std::string_view text) {
  auto event = protocol::parse_envelope(text, kStart);
  EXPECT_TRUE(event.has_value()) << text;
  return event.value_or(Event{});
}

Event alert(std::string id, const std::string& message = "m") {
  Event event;
  event.id = std::move(id);
  event.payload = R"({"alert_id":"a","level":"INFO","message":")" + message + "\"}";
  return event;
}

// A node that reads one lane to its end before another sees old records when it already knows later times.
TEST(DuplicateFilter, TellsRepeatsByTheRecordsOwnTimesInWhateverOrderLanesAreRead) {
  const auto verdicts_after = [](WallTime latest) {
    DuplicateFilter filter{{}};
    (void)filter.check(alert("other lane"), latest);
    std::vector<Verdict> verdicts;
    for (const int minutes : {0, 59, 90, 140})
      verdicts.push_back(filter.check(alert("1"), kStart + std::chrono::minutes(minutes)));
    return verdicts;
  };
  const std::vector expected{Verdict::fresh, Verdict::repeat, Verdict::fresh, Verdict::repeat};
  EXPECT_EQ(verdicts_after(kStart), expected);
  EXPECT_EQ(verdicts_after(kStart + std::chrono::hours(24)), expected);
}

TEST(DuplicateFilter, KnowsAnIdAndItsContent) {
  DuplicateFilter filter{{}};
  EXPECT_EQ(filter.check(alert("1"), kStart), Verdict::fresh);
  EXPECT_EQ(filter.check(alert("2"), kStart), Verdict::fresh);
  EXPECT_EQ(filter.check(alert("1"), kStart), Verdict::repeat);
  EXPECT_EQ(filter.check(alert("1", "other"), kStart), Verdict::conflict);
  EXPECT_EQ(filter.check(alert("1", "other"), kStart), Verdict::conflict) << "the first content stays";
  EXPECT_EQ(filter.check(alert("1"), kStart), Verdict::repeat);
}

TEST(DuplicateFilter, ComparesWhatIsMeant) {
  DuplicateFilter filter{{}};
  const std::string rest = R"("payload":{"alert_id":"a","level":"INFO","message":"m"}})";
  const std::string first = R"({"id":"1","event":"system_alert","timestamp":"2026-11-22T11:59:59Z",)" + rest;
  const std::string same = R"({ "timestamp":"2026-11-22T12:59:59.000+01:00", "event":"system_alert", "id":"1",)" + rest;
  const std::string without_time = R"({"id":"1","event":"system_alert",)" + rest;
  const std::string narrowed =
      R"({"id":"1","event":"system_alert","timestamp":"2026-11-22T11:59:59Z","audience":{"users":["bob"]},)" + rest;
  EXPECT_EQ(filter.check(parsed(first), kStart), Verdict::fresh);
  EXPECT_EQ(filter.check(parsed(same), kStart), Verdict::repeat);
  EXPECT_EQ(filter.check(parsed(without_time), kStart), Verdict::conflict);
  EXPECT_EQ(filter.check(parsed(narrowed), kStart), Verdict::conflict);
}

// protocol 8.1: its id is its position, which no other event has.
TEST(DuplicateFilter, TakesAnEventWithoutIdForNobodysRepeat) {
  DuplicateFilter filter{{}};
  for (int i = 0; i < 3; ++i) EXPECT_EQ(filter.check(alert(""), kStart), Verdict::fresh);
  EXPECT_EQ(filter.remembered(), 0U);
}

TEST(DuplicateFilter, ForgetsInTheTimeOfTheLog) {
  DuplicateFilter filter{{.age = std::chrono::minutes{10}}};
  EXPECT_EQ(filter.check(alert("1"), kStart), Verdict::fresh);
  EXPECT_EQ(filter.check(alert("2"), kStart - std::chrono::minutes{5}), Verdict::fresh);
  EXPECT_EQ(filter.check(alert("1"), kStart + std::chrono::minutes{10}), Verdict::repeat) << "which renews nothing";
  EXPECT_EQ(filter.check(alert("3"), kStart + std::chrono::minutes{10} + milliseconds{1}), Verdict::fresh);
  EXPECT_EQ(filter.remembered(), 1U);
  EXPECT_EQ(filter.check(alert("1", "other"), kStart), Verdict::fresh) << "a clock that goes back brings nothing back";
  EXPECT_EQ(filter.forgotten(), 0U);
}

TEST(DuplicateFilter, ForgetsTheOldestAtItsBound) {
  DuplicateFilter filter{{.entries_max = 2}};
  EXPECT_EQ(filter.check(alert("1"), kStart), Verdict::fresh);
  EXPECT_EQ(filter.check(alert("2"), kStart), Verdict::fresh);
  EXPECT_EQ(filter.check(alert("1"), kStart), Verdict::repeat);
  EXPECT_EQ(filter.check(alert("3"), kStart), Verdict::fresh);
  EXPECT_EQ(filter.forgotten(), 1U);
  EXPECT_EQ(filter.remembered(), 2U);
  EXPECT_EQ(filter.check(alert("2"), kStart), Verdict::repeat);
  EXPECT_EQ(filter.check(alert("3"), kStart), Verdict::repeat);
  EXPECT_EQ(filter.check(alert("1"), kStart), Verdict::fresh);
}

// Against a model that remembers everything and looks back.
TEST(DuplicateFilter, AgreesWithAModelForAnyLog) {
  struct Seen {
    std::string id, message;
    WallTime at, seen_at;
  };
  constexpr milliseconds kAge{1000};
  std::size_t repeats = 0, conflicts = 0;
  for (std::uint64_t seed = 0; seed < 500 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    DuplicateFilter filter{{.age = kAge}};
    std::vector<Seen> fresh;
    WallTime time = kStart, latest = WallTime::min();
    for (int i = 0; i < 100; ++i) {
      time += milliseconds{static_cast<std::int64_t>(random() % 100) - 20};
      latest = std::max(latest, time);
      const std::string id = std::to_string(random() % 20), message = std::to_string(random() % 2);
      const auto is_kept = [&](const Seen& seen) { return seen.id == id && latest - seen.seen_at <= kAge; };
      const auto kept = std::ranges::find_if(fresh, is_kept);
      const auto expected = kept == fresh.end() || time - kept->at > kAge ? Verdict::fresh
                            : kept->message == message                    ? Verdict::repeat
                                                                          : Verdict::conflict;
      EXPECT_EQ(filter.check(alert(id, message), time), expected);
      if (expected == Verdict::fresh) {
        const Seen seen{id, message, time, kept == fresh.end() ? latest : kept->seen_at};
        if (kept == fresh.end()) {
          fresh.push_back(seen);
        } else {
          *kept = seen;
        }
      }
      if (expected == Verdict::repeat) ++repeats;
      if (expected == Verdict::conflict) ++conflicts;
    }
  }
  EXPECT_GT(repeats, 500U);
  EXPECT_GT(conflicts, 500U);
}

}  // namespace
}  // namespace carillon::notification
