#include "campaign/user_events.hpp"

#include <gtest/gtest.h>

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
  UserEvents events(3, 9, 42);
  std::map<std::string, std::pair<std::string, double>> latest;  // by order: status, quantity filled
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
        ASSERT_TRUE(before->second.first == "SUBMITTED" || before->second.first == "PARTIALLY_FILLED");
        ASSERT_NE(status, "SUBMITTED");
        ASSERT_GE(filled, before->second.second);
        ASSERT_TRUE(status != "PARTIALLY_FILLED" || filled > before->second.second);
      }
      if (status != "SUBMITTED" && status != "PARTIALLY_FILLED") ++over;
      latest[order] = {status, filled};
    }
  }
  EXPECT_EQ(events.last(), (Mark{3, next - 1}));
  EXPECT_GT(over, 2000U);
  EXPECT_GT(for_nobody, 100U);
  EXPECT_GT(foreign, 2U);
  EXPECT_GT(narrowed, 200U);
}

}  // namespace
}  // namespace carillon::campaign
