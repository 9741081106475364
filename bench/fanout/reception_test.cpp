#include "fanout/reception.hpp"

#include <gtest/gtest.h>

#include <string>

#include "fanout/message.hpp"

namespace carillon::bench {
namespace {

using std::chrono::milliseconds;

constexpr MonoTime kStart{std::chrono::hours(1)};

double figure(const Report& report, std::string_view name) {
  return report.figure(name).value_or(-1);
}

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
  [[nodiscard]] std::uint64_t faults() const { return reception_.conclude(kPlan.all()).count(); }

  const Mark mark_{"12ab34cd"};
  Reception reception_{mark_, kPlan, kClients};
};

TEST_F(ReceptionTest, IsContentWhenEverybodyGotEverythingInOrder) {
  for (std::uint32_t client = 0; client < kClients; ++client) gets_all(client);
  EXPECT_EQ(faults(), 0U);
  EXPECT_TRUE(reception_.wait_for(kPlan.all(), milliseconds(0)));
  EXPECT_EQ(reception_.deliveries(), 4 * kClients) << "of what is measured";
  EXPECT_EQ(reception_.trial_bytes(), kMessageBytes);
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

TEST_F(ReceptionTest, TellsWhenHalfOfTheClientsHaveABurst) {
  gets(0, 0);
  EXPECT_FALSE(reception_.wait_for_half(1, milliseconds(0)));
  gets(1, 0);
  EXPECT_TRUE(reception_.wait_for_half(1, milliseconds(0)));
  EXPECT_FALSE(reception_.wait_for(1, milliseconds(0)));
  gets(2, 0);
  EXPECT_TRUE(reception_.wait_for(1, milliseconds(0)));
  EXPECT_EQ(reception_.conclude(1).count(), 0U) << "no more was published";
}

TEST_F(ReceptionTest, TimesTheLastEventOfEachBurst) {
  for (unsigned number = 0; number < kEvents; ++number)
    for (std::uint32_t client = 0; client < kClients; ++client)
      gets(client, number, milliseconds(10 * number + client));
  Report report("test");
  reception_.set_figures(kPlan.all(), report);
  EXPECT_FALSE(report.is_void());
  EXPECT_EQ(figure(report, "first_client_ms"), 60) << "the middle one of two is the second";
  EXPECT_EQ(figure(report, "median_client_ms"), 61);
  EXPECT_EQ(figure(report, "last_client_ms"), 62);
  EXPECT_EQ(figure(report, "delivery_max_ms"), 62);
  EXPECT_EQ(figure(report, "message_bytes_max"), kMessageBytes);
}

TEST_F(ReceptionTest, DoesNotCompareMessagesOfOtherSizes) {
  for (unsigned number = 0; number < kEvents; ++number)
    for (std::uint32_t client = 0; client < kClients; ++client)
      reception_.on_message(client, make_alert(mark_, number, R"("id":"x")", kMessageBytes + 3), kStart);
  Report report("test");
  reception_.set_figures(kPlan.all(), report);
  EXPECT_TRUE(report.is_void());
}

}  // namespace
}  // namespace carillon::bench
