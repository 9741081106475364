#include "protocol/server_message.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "base/json.hpp"
#include "protocol/text_frame.hpp"

namespace carillon::protocol {
namespace {

using std::chrono::seconds;

const WallTime kNow = ManualClock{}.wall_now();  // 2026-11-22T12:00:00Z

Event order_update() {
  Event event;
  event.kind = EventKind::order_update;
  event.timestamp = kNow + milliseconds{123};
  event.user_id = "alice";
  event.payload =
      R"({"order_id":"o-1","instrument_id":"BTC/USDT","status":"PARTIALLY_FILLED","side":"BUY","type":"LIMIT",)"
      R"("quantity_total":1.50,"quantity_filled":0.10,"price_avg_filled":64000.10})";
  return event;
}

std::string notification_text(const Event& event, WallTime logged_at, const Position& position, bool late) {
  const std::string frame = encode_notification(event, logged_at, position, late).frame;
  return frame.substr(header_size(frame));
}

TEST(ServerMessage, ANotificationIsTheExampleOfTheProtocol) {
  EXPECT_EQ(
      notification_text(order_update(), kNow, Position{"j1.42"}, false),
      R"({"type":"notification","event":"order_update","timestamp":"2026-11-22T12:00:00.123Z","id":"j1.42","payload":{"order_id":"o-1","instrument_id":"BTC/USDT","status":"PARTIALLY_FILLED","side":"BUY","type":"LIMIT","quantity_total":1.50,"quantity_filled":0.10,"price_avg_filled":64000.10}})");
}

TEST(ServerMessage, AMarkGoesIntoANotificationsFrame) {
  for (const std::size_t size : {0U, 3U, 4U, 250U, 65300U, 65400U}) {
    Event event = order_update();
    event.payload = "{\"x\":\"" + std::string(size, 'x') + "\"}";
    const EncodedNotification encoded = encode_notification(event, kNow, Position{"j1.42"}, true);
    std::string marked = "before";
    append_with_member(marked, encoded.frame, encoded.mark_at, ",\"replayed\":true");
    std::string expected = "before";
    append_text_frame(
        expected,
        R"({"type":"notification","event":"order_update","timestamp":"2026-11-22T12:00:00.123Z","id":"j1.42","replayed":true,"late":true,"payload":)" +
            event.payload + "}");
    EXPECT_EQ(marked, expected) << size;
  }
}

TEST(ServerMessage, ALateNotificationSaysSo) {
  Event alert;
  alert.payload = R"({"alert_id":"a"})";
  EXPECT_EQ(
      notification_text(alert, kNow, Position{"j1.1"}, true),
      R"({"type":"notification","event":"system_alert","timestamp":"2026-11-22T12:00:00.000Z","id":"j1.1","late":true,"payload":{"alert_id":"a"}})");
}

TEST(ServerMessage, TheLogsTimeStandsInForAnAbsentTimestamp) {
  Event signal;
  signal.kind = EventKind::new_trade_signal;
  signal.payload = "{}";
  EXPECT_EQ(
      notification_text(signal, kNow + seconds{1}, Position{"p"}, false),
      R"({"type":"notification","event":"new_trade_signal","timestamp":"2026-11-22T12:00:01.000Z","id":"p","payload":{}})");
}

TEST(ServerMessage, ANotificationNamesNeitherUserNorProducersId) {
  Event event = order_update();
  event.id = "producers-own";
  const std::string text = notification_text(event, kNow, Position{"j1.42"}, false);
  EXPECT_EQ(text.find("alice"), std::string::npos);
  EXPECT_EQ(text.find("producers-own"), std::string::npos);
}

TEST(ServerMessage, AuthOk) {
  Principal alice{.user_id = "alice", .grants = {}, .expires_at = kNow + std::chrono::hours{1}};
  alice.grants.add(Grant::signals);
  alice.grants.add(Grant::orders);
  alice.grants.add(Grant::alerts);
  EXPECT_EQ(
      encode_auth_ok({"s-1", alice, seconds{20}, seconds{10}}, kNow),
      R"({"type":"ack","event":"auth_ok","timestamp":"2026-11-22T12:00:00.000Z","payload":{"session_id":"s-1","user_id":"alice","grants":["signals","orders","alerts"],"expires_at":"2026-11-22T13:00:00.000Z","heartbeat_interval_ms":20000,"heartbeat_timeout_ms":10000}})");
}

TEST(ServerMessage, AuthOkAnswersAResume) {
  const Principal nobody{};
  const auto resume_of = [&](std::string_view requested, std::optional<GapReason> gap) {
    const std::string text = encode_auth_ok({"s", nobody, {}, {}, Resumption{requested, gap}}, kNow);
    return text.substr(text.find(",\"resume\""));
  };
  EXPECT_EQ(resume_of("j1.42", std::nullopt), R"(,"resume":{"requested":"j1.42","complete":true}}})");
  EXPECT_EQ(resume_of("j1.42", GapReason::trimmed),
            R"(,"resume":{"requested":"j1.42","complete":false,"reason":"trimmed"}}})");
  EXPECT_EQ(resume_of("j2.42", GapReason::epoch),
            R"(,"resume":{"requested":"j2.42","complete":false,"reason":"epoch"}}})");
  // What does not look like a position is not repeated.
  EXPECT_EQ(resume_of("\"\xff", GapReason::unknown), R"(,"resume":{"complete":false,"reason":"unknown"}}})");
}

TEST(ServerMessage, Live) {
  EXPECT_EQ(
      encode_live(Position{"j1.42"}, 7, kNow),
      R"({"type":"ack","event":"live","timestamp":"2026-11-22T12:00:00.000Z","payload":{"position":"j1.42","replayed":7}})");
}

TEST(ServerMessage, AuthOkEscapesTheUserAndListsEveryGrant) {
  Principal odd{.user_id = "a\"\\é", .grants = {}, .expires_at = WallTime::max()};
  EXPECT_EQ(
      encode_auth_ok({"s", odd, milliseconds{50}, milliseconds{25}}, kNow),
      R"({"type":"ack","event":"auth_ok","timestamp":"2026-11-22T12:00:00.000Z","payload":{"session_id":"s","user_id":"a\"\\é","grants":[],"expires_at":"9999-12-31T23:59:59.999Z","heartbeat_interval_ms":50,"heartbeat_timeout_ms":25}})");
  for (const Grant grant : kGrants) odd.grants.add(grant);
  EXPECT_NE(encode_auth_ok({"s", odd, seconds{1}, seconds{1}}, kNow)
                .find(R"("grants":["signals","orders","alerts","publish","admin"],)"),
            std::string::npos);
}

TEST(ServerMessage, AuthExpiring) {
  EXPECT_EQ(
      encode_auth_expiring(kNow + seconds{60}, kNow),
      R"({"type":"ack","event":"auth_expiring","timestamp":"2026-11-22T12:00:00.000Z","payload":{"expires_at":"2026-11-22T12:01:00.000Z"}})");
}

TEST(ServerMessage, ShuttingDown) {
  EXPECT_EQ(
      encode_shutting_down(milliseconds{1234}, kNow),
      R"({"type":"ack","event":"shutting_down","timestamp":"2026-11-22T12:00:00.000Z","payload":{"retry_after_ms":1234}})");
}

TEST(ServerMessage, PingAndPong) {
  EXPECT_EQ(
      encode_ping(Position{"j1.42"}, 7, kNow),
      R"({"type":"heartbeat","event":"ping","timestamp":"2026-11-22T12:00:00.000Z","payload":{"position":"j1.42","delivered":7}})");
  EXPECT_EQ(
      encode_ping(Position{}, std::numeric_limits<std::uint64_t>::max(), kNow),
      R"({"type":"heartbeat","event":"ping","timestamp":"2026-11-22T12:00:00.000Z","payload":{"position":"","delivered":18446744073709551615}})");
  EXPECT_EQ(encode_pong(kNow),
            R"({"type":"heartbeat","event":"pong","timestamp":"2026-11-22T12:00:00.000Z","payload":{}})");
}

TEST(ServerMessage, Errors) {
  EXPECT_EQ(
      encode_error("auth_failed", "expired", "the token has \"expired\"", kNow),
      R"({"type":"error","event":"auth_failed","timestamp":"2026-11-22T12:00:00.000Z","payload":{"message":"the token has \"expired\"","code":"expired"}})");
  EXPECT_EQ(
      encode_error("invalid_message", "too_many", "slow down", kNow, seconds{2}),
      R"({"type":"error","event":"invalid_message","timestamp":"2026-11-22T12:00:00.000Z","payload":{"message":"slow down","code":"too_many","retry_after_ms":2000}})");
}

TEST(ServerMessage, EveryMessageIsJson) {
  const Principal nobody{};
  for (const std::string& text :
       {notification_text(order_update(), kNow, Position{"j1.42"}, true), encode_auth_ok({"s", nobody, {}, {}}, kNow),
        encode_auth_expiring(kNow, kNow), encode_shutting_down({}, kNow), encode_ping(Position{"p"}, 0, kNow),
        encode_pong(kNow), encode_live(Position{"p"}, 0, kNow),
        encode_error("internal_server_error", "c", "line\nbreak\x01", kNow)}) {
    const auto document = json::Document::parse(text);
    ASSERT_TRUE(document) << text;
    for (const char* member : {"type", "event", "timestamp"}) EXPECT_TRUE(document->root().find_string(member)) << text;
    EXPECT_TRUE(document->root().find("payload")->is(json::Kind::object)) << text;
  }
}

TEST(ServerMessage, LatenessLimits) {
  EXPECT_EQ(lateness_limit(EventKind::new_trade_signal), seconds{2});
  EXPECT_EQ(lateness_limit(EventKind::order_update), seconds{2});
  EXPECT_EQ(lateness_limit(EventKind::system_alert), seconds{5});
}

}  // namespace
}  // namespace carillon::protocol
