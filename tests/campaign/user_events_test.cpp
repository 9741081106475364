#include "campaign/user_events.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "base/json.hpp"

namespace carillon::campaign {
namespace {

std::string text_in(const json::Value& value, std::string_view name) {
  const auto member = value.find(name);
  return member ? std::string(member->text()) : std::string();
}

// What the server must deliver is what it gets with a number: none of those may break the rules by which it withholds.
TEST(UserEvents, AreOrdersThatLivePlausibleLives) {
  UserEvents events(3, Streams(9, Streams::Order::whole), 42);
  struct Update {
    std::string status;
    double filled;
    std::uint64_t number;
  };
  std::map<std::string, Update> latest;  // by order
  std::uint64_t next = 1, over = 0, for_nobody = 0, foreign = 0, narrowed = 0;
  while (next <= 20'000) {
    std::string batch = "[";
    const std::uint32_t count = events.append_next(batch);
    batch += "]";
    const auto parsed = json::Document::parse(batch);
    ASSERT_TRUE(parsed.has_value()) << batch;
    ASSERT_EQ(parsed->root().size(), count);
    for (const json::Value envelope : parsed->root()) {
      const json::Value payload = *envelope.find("payload");
      std::string text;
      payload.append_to(text);
      const auto mark = mark_in(R"({"type":"notification","payload":)" + text + "}");
      ASSERT_TRUE(mark.has_value()) << text;
      ASSERT_EQ(mark->stream, 3U);
      if (mark->number < next) {
        ASSERT_NE(text_in(envelope, "id"), "3." + std::to_string(mark->number));
        ++for_nobody;
        if (text_in(envelope, "user_id") != "trader-3") ++foreign;
        continue;
      }
      ASSERT_EQ(mark->number, next++);
      if (text_in(envelope, "event") != "order_update") {
        ++narrowed;
        ASSERT_NE(batch.find(R"("audience":{"users":["trader-3"]})"), std::string::npos);
        continue;
      }
      ASSERT_EQ(text_in(envelope, "user_id"), "trader-3");
      const std::string order = text_in(payload, "order_id"), status = text_in(payload, "status");
      const double filled = std::stod(text_in(payload, "quantity_filled"));
      ASSERT_LE(filled, std::stod(text_in(payload, "quantity_total")));
      const auto before = latest.find(order);
      if (before == latest.end()) {
        ASSERT_EQ(status, "SUBMITTED");
      } else {
        ASSERT_TRUE(before->second.status == "SUBMITTED" || before->second.status == "PARTIALLY_FILLED");
        ASSERT_NE(status, "SUBMITTED");
        ASSERT_GE(filled, before->second.filled);
        ASSERT_TRUE(status != "PARTIALLY_FILLED" || filled > before->second.filled);
      }
      if (status != "SUBMITTED" && status != "PARTIALLY_FILLED") ++over;
      latest[order] = {status, filled, mark->number};
    }
  }
  ASSERT_EQ(events.last().size(), 1U);
  EXPECT_EQ(events.last()[0], (Mark{3, next - 1}));
  std::vector<std::uint64_t> open;
  for (const auto& [order, last] : latest)
    if (last.status == "SUBMITTED" || last.status == "PARTIALLY_FILLED") open.push_back(last.number);
  std::ranges::sort(open);
  EXPECT_EQ(events.open(), open);
  EXPECT_GT(over, 2000U);
  EXPECT_GT(for_nobody, 100U);
  EXPECT_GT(foreign, 2U);
  EXPECT_GT(narrowed, 200U);
}

// Where order holds within a key, each key has its numbers, and nothing depends on another's.
TEST(UserEvents, NumberEachKeyForItself) {
  const Streams streams(9, Streams::Order::per_key);
  UserEvents events(3, streams, 42);
  const std::map<std::string, std::uint32_t> stream_of = {{"order_update", streams.of(3, Streams::Kind::order)},
                                                          {"new_trade_signal", streams.of(3, Streams::Kind::signal)},
                                                          {"system_alert", streams.of(3, Streams::Kind::alert)}};
  std::map<std::uint32_t, std::uint64_t> last;
  while (last[3] < 10'000) {
    std::string batch = "[";
    (void)events.append_next(batch);
    const auto parsed = json::Document::parse(batch + "]");
    ASSERT_TRUE(parsed.has_value()) << batch;
    for (const json::Value envelope : parsed->root()) {
      std::string text;
      envelope.find("payload")->append_to(text);
      const auto mark = mark_in(R"({"type":"notification","payload":)" + text + "}");
      ASSERT_TRUE(mark.has_value()) << text;
      ASSERT_EQ(mark->stream, stream_of.at(text_in(envelope, "event")));
      if (mark->stream == 3) ASSERT_EQ(text_in(envelope, "user_id"), "trader-3");
      if (mark->number <= last[mark->stream] && mark->stream == 3) continue;
      ASSERT_EQ(mark->number, ++last[mark->stream]);
    }
  }
  EXPECT_EQ(last.size(), 3U);
  for (const Mark& mark : events.last()) EXPECT_EQ(last[mark.stream], mark.number);
}

}  // namespace
}  // namespace carillon::campaign
