#include "fanout/reception.hpp"

#include <gtest/gtest.h>

#include <string>

#include "fanout/message.hpp"

namespace carillon::bench {
namespace {

using std::chrono::milliseconds;

constexpr MonoTime kStart{std::chrono::hours(1)};

// Three clients; a trial, one burst to warm up, and two that are measured, of two events each: numbers 0 to 6.
class ReceptionTest : public testing::Test {
 protected:
  static constexpr Bursts kPlan{.together = 2, .warm_up = 1, .measured = 2};
  static constexpr std::uint64_t kEvents = 7;
  static constexpr std::uint32_t kClients = 3;

  ReceptionTest() {
    for (std::uint64_t burst = 0; burst < kPlan.all(); ++burst) reception_.set_due(burst, kStart);
  }

  void gets(std::uint32_t client, std::uint64_t number, milliseconds after = milliseconds(1)) {
    reception_.on_message(client, make_message(mark_, number), kStart + after);
  }
  void gets_all(std::uint32_t client) {
    for (std::uint64_t number = 0; number < kEvents; ++number) gets(client, number);
  }
  [[nodiscard]] std::uint64_t faults() const { return reception_.conclude().count(); }

  const Mark mark_{"12ab34cd"};
  Reception reception_{mark_, kPlan, kClients};
};

TEST_F(ReceptionTest, IsContentWhenEverybodyGotEverythingInOrder) {
  for (std::uint32_t client = 0; client < kClients; ++client) gets_all(client);
  EXPECT_EQ(faults(), 0U);
  EXPECT_TRUE(reception_.wait_for(kPlan.all(), milliseconds(0)));
  EXPECT_EQ(reception_.latency().count(), 4 * kClients) << "of what is measured";
  EXPECT_EQ(reception_.trial_bytes(), kMessageBytes);
  EXPECT_EQ(reception_.bytes_min(), kMessageBytes);
  EXPECT_EQ(reception_.bytes_max(), kMessageBytes);
}

TEST_F(ReceptionTest, SeesALoss) {
  for (std::uint32_t client = 0; client < kClients; ++client)
    for (std::uint64_t number = 0; number < kEvents; ++number)
      if (client != 1 || number != 3) gets(client, number);
  EXPECT_GT(faults(), 0U);
  EXPECT_FALSE(reception_.wait_for(kPlan.all(), milliseconds(0)));
}

TEST_F(ReceptionTest, SeesThatTheLastOneIsLost) {
  gets_all(0);
  gets_all(1);
  for (std::uint64_t number = 0; number + 1 < kEvents; ++number) gets(2, number);
  EXPECT_EQ(faults(), 1U);
  EXPECT_TRUE(reception_.wait_for(kPlan.all() - 1, milliseconds(0)));
  EXPECT_FALSE(reception_.wait_for(kPlan.all(), milliseconds(0)));
}

TEST_F(ReceptionTest, SeesARepetition) {
  for (std::uint32_t client = 0; client < kClients; ++client) gets_all(client);
  gets(1, 6);
  EXPECT_EQ(faults(), 1U);
}

TEST_F(ReceptionTest, SeesAnotherOrder) {
  for (const unsigned number : {0U, 2U, 1U, 3U, 4U, 5U, 6U}) gets(0, number);
  gets_all(1);
  gets_all(2);
  EXPECT_GT(faults(), 0U);
}

TEST_F(ReceptionTest, SeesWhatIsNotOfTheRun) {
  for (std::uint32_t client = 0; client < kClients; ++client) gets_all(client);
  reception_.on_message(0, make_message(Mark("another1"), 0), kStart);
  gets(0, kEvents);
  EXPECT_EQ(faults(), 2U);
}

TEST_F(ReceptionTest, TimesTheLastEventOfEachBurst) {
  for (std::uint64_t number = 0; number < kEvents; ++number)
    for (std::uint32_t client = 0; client < kClients; ++client)
      gets(client, number, milliseconds(10 * number + client));
  const auto bursts = reception_.measured();
  ASSERT_EQ(bursts.size(), 2U);
  EXPECT_EQ(bursts[0].first, milliseconds(40));
  EXPECT_EQ(bursts[0].median, milliseconds(41));
  EXPECT_EQ(bursts[0].last, milliseconds(42));
  EXPECT_EQ(bursts[1].last, milliseconds(62));
  EXPECT_EQ(reception_.latency().max(), milliseconds(62));
}

}  // namespace
}  // namespace carillon::bench
