#include "ingest/grpc_event.hpp"

#include <carillon/v1/events.pb.h>
#include <gtest/gtest.h>

#include <string>

#include "base/clock.hpp"
#include "protocol/envelope.hpp"

namespace carillon::ingest {
namespace {

const WallTime kNow = ManualClock().wall_now();

v1::Event signal() {
  v1::Event event;
  event.set_id("s-1");
  v1::TradeSignal& signal = *event.mutable_new_trade_signal();
  signal.set_signal_id("signal-1");
  signal.set_instrument_id("BTC/USDT");
  signal.set_direction(v1::TradeSignal::SELL);
  signal.set_entry_price("64000.10");
  signal.set_stop_loss("-0.0");
  signal.add_take_profit("6.30e4");
  signal.add_take_profit("62000");
  signal.set_source_agent_id("AnalystAgent-\"001\"");
  return event;
}

v1::Event order() {
  v1::Event event;
  event.set_id("o-1-filled");
  event.set_user_id("alice");
  v1::OrderUpdate& order = *event.mutable_order_update();
  order.set_order_id("o-1");
  order.set_instrument_id("BTC/USDT");
  order.set_status(v1::OrderUpdate::PARTIALLY_FILLED);
  order.set_side(v1::OrderUpdate::BUY);
  order.set_type(v1::OrderUpdate::LIMIT);
  order.set_quantity_total("1.50");
  order.set_quantity_filled("0.10");
  return event;
}

v1::Event alert() {
  v1::Event event;
  v1::SystemAlert& alert = *event.mutable_system_alert();
  alert.set_alert_id("a-1");
  alert.set_level(v1::SystemAlert::CRITICAL);
  alert.set_message("caf\u00e9, zwei Zeilen");
  return event;
}

// What the log would get.
std::string envelope(const v1::Event& event) {
  const auto parsed = parse_grpc_event(event, kNow);
  return parsed ? protocol::encode_envelope(*parsed) : parsed.error().code + " " + parsed.error().pointer;
}

TEST(GrpcEvent, IsTheEnvelopeThatRestWouldTake) {
  EXPECT_EQ(envelope(signal()),
            R"({"id":"s-1","event":"new_trade_signal","payload":{"signal_id":"signal-1","instrument_id":"BTC/USDT",)"
            R"("direction":"SELL","entry_price":64000.10,"stop_loss":-0.0,"take_profit":[6.30e4,62000],)"
            R"("source_agent_id":"AnalystAgent-\"001\""}})");
  EXPECT_EQ(envelope(order()),
            R"({"id":"o-1-filled","event":"order_update","user_id":"alice","payload":{"order_id":"o-1",)"
            R"("instrument_id":"BTC/USDT","status":"PARTIALLY_FILLED","side":"BUY","type":"LIMIT",)"
            R"("quantity_total":1.50,"quantity_filled":0.10}})");
  v1::Event whole = alert();
  whole.set_id("a");
  whole.mutable_system_alert()->set_component("feed");
  EXPECT_EQ(envelope(whole), R"({"id":"a","event":"system_alert","payload":{"alert_id":"a-1","level":"CRITICAL",)"
                             R"("message":"café, zwei Zeilen","component":"feed"}})");
}

TEST(GrpcEvent, EveryOptionalFieldArrives) {
  v1::Event event = order();
  v1::OrderUpdate& update = *event.mutable_order_update();
  update.set_status(v1::OrderUpdate::REJECTED);
  update.set_client_order_id("mine");
  update.set_price_avg_filled("64000.10");
  update.set_reason_failed("no funds");
  EXPECT_EQ(envelope(event),
            R"({"id":"o-1-filled","event":"order_update","user_id":"alice","payload":{"order_id":"o-1",)"
            R"("client_order_id":"mine","instrument_id":"BTC/USDT","status":"REJECTED","side":"BUY","type":"LIMIT",)"
            R"("quantity_total":1.50,"quantity_filled":0.10,"price_avg_filled":64000.10,"reason_failed":"no funds"}})");
  event = signal();
  event.mutable_new_trade_signal()->set_confidence("0.850");
  event.mutable_audience()->add_users("bob");
  event.mutable_audience()->add_users("alice");
  const auto parsed = parse_grpc_event(event, kNow);
  ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
  EXPECT_EQ(parsed->audience, (std::vector<UserId>{"alice", "bob"}));
  EXPECT_NE(parsed->payload.find(R"("confidence":0.850)"), std::string::npos);
}

TEST(GrpcEvent, TimestampIsKeptToTheMillisecond) {
  v1::Event event = alert();
  event.mutable_timestamp()->set_seconds(1'795'348'800);
  event.mutable_timestamp()->set_nanos(123'999'999);
  const auto parsed = parse_grpc_event(event, kNow);
  ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
  EXPECT_EQ(parsed->timestamp, WallTime(std::chrono::seconds(1'795'348'800) + milliseconds(123)));
  EXPECT_EQ(parse_grpc_event(alert(), kNow)->timestamp, std::nullopt);
}

TEST(GrpcEvent, TimestampThatIsNoneIsRefused) {
  const auto with = [](std::int64_t seconds, std::int32_t nanos) {
    v1::Event event = alert();
    event.mutable_timestamp()->set_seconds(seconds);
    event.mutable_timestamp()->set_nanos(nanos);
    return envelope(event);
  };
  EXPECT_EQ(with(1'795'348'800, -1), "bad_timestamp /timestamp");
  EXPECT_EQ(with(1'795'348'800, 1'000'000'000), "bad_timestamp /timestamp");
  EXPECT_EQ(with(INT64_MAX, 0), "bad_timestamp /timestamp");
  EXPECT_EQ(with(INT64_MIN, 0), "bad_timestamp /timestamp");
  EXPECT_EQ(with(1'795'348'800 + 25 * 3600, 0), "out_of_range /timestamp");
}

TEST(GrpcEvent, WhatIsEmptyCountsAsAbsent) {
  EXPECT_EQ(envelope({}), "missing /event");
  v1::Event event = signal();
  event.mutable_new_trade_signal()->clear_direction();
  EXPECT_EQ(envelope(event), "missing /payload/direction");
  event = signal();
  event.mutable_new_trade_signal()->clear_take_profit();
  EXPECT_EQ(envelope(event), "out_of_range /payload/take_profit");
  event = order();
  event.clear_user_id();
  EXPECT_EQ(envelope(event), "missing /user_id");
  event = alert();
  event.mutable_audience();
  EXPECT_EQ(envelope(event), "out_of_range /audience/users");
}

TEST(GrpcEvent, WhatIsNoDecimalIsRefusedWhereItStandsAndBecomesNothingElse) {
  for (const std::string text : {"1,5", "0x10", "1e99", " 1", "1 ", "NaN", "01", "1,\"stop_loss\":2", "1}", "\"1\""}) {
    v1::Event event = signal();
    event.mutable_new_trade_signal()->set_entry_price(text);
    EXPECT_EQ(envelope(event), "wrong_type /payload/entry_price") << text;
  }
  v1::Event event = signal();
  event.mutable_new_trade_signal()->set_take_profit(1, "much");
  EXPECT_EQ(envelope(event), "wrong_type /payload/take_profit/1");
}

TEST(GrpcEvent, ValueOfALaterVersionIsRefused) {
  v1::Event event = order();
  event.mutable_order_update()->set_status(static_cast<v1::OrderUpdate::Status>(99));
  EXPECT_TRUE(envelope(event).ends_with("/payload/status")) << envelope(event);
}

TEST(GrpcEvent, EnvelopeIsTakenAsItIsAndStandsAlone) {
  const std::string text =
      R"({"id":"x","event":"system_alert","payload":{"alert_id":"a","level":"INFO","message":"m","runbook":"r-7"}})";
  v1::Event event;
  event.set_envelope(text);
  EXPECT_EQ(envelope(event), text);
  event.set_id("y");
  EXPECT_EQ(envelope(event), "not_allowed ");
  event.clear_id();
  event.set_envelope("{");
  EXPECT_EQ(envelope(event), "not_json ");
  event.set_envelope("");
  EXPECT_EQ(envelope(event), "not_json ");
}

}  // namespace
}  // namespace carillon::ingest
