#include "fanout/favoured_reception.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

#include "fanout/message.hpp"

namespace carillon::bench {
namespace {

using std::chrono::milliseconds;

constexpr MonoTime kStart{std::chrono::hours(1)};
constexpr milliseconds kInterval{10};

class FavouredReceptionTest : public testing::Test {
 protected:
  FavouredReceptionTest() { reception_.set_start(kStart); }

  // Each at the log's next place, unless that is said to be another.
  void gets_update(std::uint64_t number, milliseconds after = {}) {
    gets(orders_.payload(number) + "}", kStart + kInterval * static_cast<int>(number) + after);
  }
  void gets_event(std::uint64_t number) { gets(R"({"alert_id":"a",)" + mark_.text(number), kStart); }
  void gets(const std::string& payload, MonoTime now) {
    const std::string head = fmt::format(R"({{"type":"notification","id":"jabc.{}","payload":)", ++place_);
    reception_.on_message(0, head + payload, now);
  }
  void gets_everything() {
    gets_event(0);
    for (std::uint64_t number = 0; number < kUpdates; ++number) gets_update(number, milliseconds(1 + number));
    gets_event(1);
  }
  [[nodiscard]] std::uint64_t faults() const { return reception_.conclude(2).count(); }

  static constexpr std::uint64_t kUpdates = 5;
  const Mark mark_{"12ab34cd"};
  const EventBook orders_ = EventBook::orders("12ab34cdo", {.count = kUpdates});
  FavouredReception reception_{mark_, orders_, kInterval};
  std::uint64_t place_ = 0;
};

TEST_F(FavouredReceptionTest, IsContentWithEverythingInOrder) {
  gets_everything();
  EXPECT_EQ(faults(), 0U);
  EXPECT_TRUE(reception_.wait_for(2, milliseconds(0)));
  EXPECT_EQ(reception_.latency().count(), kUpdates);
  EXPECT_EQ(reception_.latency().max(), milliseconds(5));
}

TEST_F(FavouredReceptionTest, SeesLosses) {
  gets_event(0);
  for (std::uint64_t number = 0; number + 1 < kUpdates; ++number) gets_update(number);
  gets_event(1);
  EXPECT_EQ(faults(), 1U);
  EXPECT_FALSE(reception_.wait_for(2, milliseconds(0)));
  gets_update(kUpdates - 1);
  EXPECT_EQ(faults(), 0U);
  EXPECT_EQ(reception_.conclude(3).count(), 1U) << "an event to all";
}

TEST_F(FavouredReceptionTest, SeesRepetitionsAndAnotherOrder) {
  gets_everything();
  gets_update(kUpdates - 1);
  EXPECT_EQ(faults(), 1U);
  gets_event(1);
  EXPECT_EQ(faults(), 2U);
  gets_event(3);
  EXPECT_EQ(faults(), 3U);
}

TEST_F(FavouredReceptionTest, SeesWhatIsNotTheLogsOrder) {
  gets_event(0);
  place_ = 10;
  gets_update(0);
  place_ = 5;
  for (std::uint64_t number = 1; number < kUpdates; ++number) gets_update(number);
  gets_event(1);
  EXPECT_EQ(faults(), 5U) << "all of them before place 11";
}

TEST_F(FavouredReceptionTest, SeesWhatIsNotOfTheRun) {
  gets_everything();
  gets(R"({"alert_id":"a",)" + Mark("another1").text(2), kStart);
  reception_.on_message(0, R"({"type":"notification"})", kStart);
  EXPECT_EQ(faults(), 3U) << "the last one is nowhere in the log, either";
}

}  // namespace
}  // namespace carillon::bench
