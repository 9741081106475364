#include "eventlog/rabbitmq_values.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace carillon::eventlog {
namespace {

constexpr WallTime kNoon{milliseconds{1'795'348'800'123}};

// As the properties of a message that comes with this header.
MessageStamp stamp_with(amqp_table_entry_t header) {
  amqp_table_entry_t stamped{};
  amqp_basic_properties_t properties = stamped_properties("an id", kNoon, stamped);
  std::array headers{stamped, header};
  properties.headers = table_of(headers);
  return stamp_of(properties);
}

amqp_table_entry_t unsigned_entry(std::string_view key, std::uint8_t kind, std::uint64_t number) {
  amqp_table_entry_t made = entry(key, std::int64_t{0});
  made.value.kind = kind;
  made.value.value.u64 = number;
  return made;
}

TEST(RabbitmqStamp, SaysWhatWasSent) {
  amqp_table_entry_t header{};
  const amqp_basic_properties_t properties = stamped_properties("an id", kNoon, header);
  EXPECT_EQ(properties.delivery_mode, AMQP_DELIVERY_PERSISTENT);
  const MessageStamp stamp = stamp_of(properties);
  EXPECT_EQ(stamp.id, "an id");
  EXPECT_EQ(stamp.stamped_at, kNoon);
}

TEST(RabbitmqStamp, HasNoIdWhereThereIsNoRoomForIt) {
  amqp_table_entry_t header{};
  const std::string longest(255, 'i');
  EXPECT_EQ(stamp_of(stamped_properties(longest, kNoon, header)).id, longest);
  EXPECT_EQ(stamp_of(stamped_properties(longest + "i", kNoon, header)).id, "");
  EXPECT_EQ(stamp_of(stamped_properties("", kNoon, header)).id, "");
}

TEST(RabbitmqStamp, HasTheOffsetOfTheStream) {
  EXPECT_EQ(stamp_with(entry("x-stream-offset", std::int64_t{7})).offset, 7U);
  EXPECT_EQ(stamp_with(unsigned_entry("x-stream-offset", AMQP_FIELD_KIND_U64, 1ULL << 40)).offset, 1ULL << 40);
  EXPECT_EQ(stamp_with(unsigned_entry("x-stream-offset", AMQP_FIELD_KIND_U32, 8)).offset, 8U);
  EXPECT_EQ(stamp_with(entry("x-stream-offset", "nine")).offset, 0U);
}

TEST(RabbitmqStamp, IsNoTimeThatCannotBe) {
  for (const std::int64_t ms : {INT64_MIN, std::int64_t{-1}, std::int64_t{0}, 253'402'300'800'000, INT64_MAX}) {
    EXPECT_EQ(stamp_with(entry("timestamp_in_ms", ms)).stamped_at, std::nullopt) << ms;
  }
  EXPECT_EQ(stamp_with(entry("timestamp_in_ms", "noon")).stamped_at, kNoon);
  EXPECT_EQ(stamp_with(entry("timestamp_in_ms", std::int64_t{1})).stamped_at, WallTime{milliseconds{1}});
}

TEST(RabbitmqStamp, OfForeignProducersHasWholeSecondsOrNone) {
  amqp_basic_properties_t properties{};
  EXPECT_EQ(stamp_of(properties).stamped_at, std::nullopt);
  properties._flags = AMQP_BASIC_TIMESTAMP_FLAG;
  properties.timestamp = 1'795'348'800;
  EXPECT_EQ(stamp_of(properties).stamped_at, WallTime{std::chrono::seconds{1'795'348'800}});
  for (const std::uint64_t seconds : {std::uint64_t{0}, std::uint64_t{253'402'300'800}, UINT64_MAX / 1000 + 1}) {
    properties.timestamp = seconds;
    EXPECT_EQ(stamp_of(properties).stamped_at, std::nullopt) << seconds;
  }
}

TEST(RabbitmqEntry, OfATimeIsInWholeSecondsFromTheBeginOfTimes) {
  EXPECT_EQ(entry("at", kNoon).value.kind, AMQP_FIELD_KIND_TIMESTAMP);
  EXPECT_EQ(entry("at", kNoon).value.value.u64, 1'795'348'800U);
  EXPECT_EQ(entry("at", WallTime{milliseconds{-1}}).value.value.u64, 0U);
}

}  // namespace
}  // namespace carillon::eventlog
