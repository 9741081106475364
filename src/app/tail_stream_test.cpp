#include "app/tail_stream.hpp"

#include <gtest/gtest.h>

#include <string>

namespace carillon::app {
namespace {

std::string notification(const std::string& event, const std::string& payload, const std::string& more = "") {
  return R"({"type":"notification","event":")" + event + R"(","timestamp":"2026-11-22T12:00:00.123Z","id":"j1.42")" +
         more + R"(,"payload":)" + payload + "}";
}

const std::string kOrder = notification(
    "order_update", R"({"order_id":"o-1","instrument_id":"BTC/USDT","status":"PARTIALLY_FILLED","side":"BUY",)"
                    R"("type":"LIMIT","quantity_total":1.50,"quantity_filled":0.10,"price_avg_filled":64000.10})");
const std::string kAuthOk =
    R"({"type":"ack","event":"auth_ok","timestamp":"2026-11-22T12:00:00.123Z","payload":{"session_id":"s",)"
    R"("user_id":"alice","grants":["signals","orders"],"expires_at":"2026-11-22T13:00:00.000Z",)"
    R"("heartbeat_interval_ms":20000,"heartbeat_timeout_ms":10000}})";

class TailStreamTest : public testing::Test {
 protected:
  TailStreamTest() { stream_.begin_connection(); }
  std::string printed(const std::string& message) { return stream_.take(message).print; }

  TailStream stream_{false, Palette(false)};
};

TEST_F(TailStreamTest, PrintsWhatMattersForPeople) {
  EXPECT_EQ(printed(kOrder),
            "12:00:00.123  order   o-1  BTC/USDT  BUY LIMIT  PARTIALLY_FILLED 0.10 of 1.50 at 64000.10");
  EXPECT_EQ(
      printed(notification("new_trade_signal",
                           R"({"signal_id":"s-1","instrument_id":"ETH/USDT","direction":"SELL","entry_price":3420.50,)"
                           R"("stop_loss":3500,"take_profit":[3300,3200.0],"source_agent_id":"AnalystAgent-001"})")),
      "12:00:00.123  signal  ETH/USDT  SELL  entry 3420.50  stop 3500  target 3300, 3200.0  by AnalystAgent-001");
  EXPECT_EQ(printed(notification("system_alert",
                                 R"({"alert_id":"a","level":"CRITICAL","message":"feed lost","component":"risk"})",
                                 R"(,"late":true)")),
            "12:00:00.123  alert   CRITICAL  risk  feed lost  (late)");
}

TEST_F(TailStreamTest, ColoursWhatIsUrgent) {
  TailStream coloured(false, Palette(true));
  coloured.begin_connection();
  const std::string line = coloured.take(notification("system_alert", R"({"level":"ERROR","message":"m"})")).print;
  EXPECT_NE(line.find("\x1b[31mERROR\x1b[0m"), std::string::npos);
}

TEST_F(TailStreamTest, NoPayloadMovesTheCursor) {
  const std::string line = printed(notification("system_alert", R"({"level":"INFO","message":"\u001b[2J\u009bx"})"));
  EXPECT_EQ(line, "12:00:00.123  alert   INFO  ?[2J?x");
}

TEST_F(TailStreamTest, PrintsJsonAsItCame) {
  TailStream json(true, Palette(true));
  json.begin_connection();
  EXPECT_EQ(json.take(kOrder).print, kOrder);
  EXPECT_EQ(json.take(kAuthOk).print, "");
}

TEST_F(TailStreamTest, KeepsThePositionOverConnections) {
  EXPECT_EQ(stream_.position(), "");
  (void)stream_.take(kOrder);
  stream_.begin_connection();
  EXPECT_EQ(stream_.position(), "j1.42");
  (void)stream_.take(R"({"type":"notification","event":"x","id":"a b\r\n","payload":{}})");
  EXPECT_EQ(stream_.position(), "j1.42");
}

TEST_F(TailStreamTest, AnswersPingsAndChecksTheCount) {
  (void)stream_.take(kOrder);
  const auto right =
      stream_.take(R"({"type":"heartbeat","event":"ping","payload":{"position":"j1.42","delivered":1}})");
  EXPECT_EQ(right.answer, R"({"type":"heartbeat","event":"pong"})");
  EXPECT_EQ(right.notice, "");
  const auto wrong =
      stream_.take(R"({"type":"heartbeat","event":"ping","payload":{"position":"j1.42","delivered":3}})");
  EXPECT_EQ(wrong.notice, "the server has sent 3 notifications, 1 came here");
  stream_.begin_connection();
  EXPECT_EQ(stream_.take(R"({"type":"heartbeat","event":"ping","payload":{"position":"j1.42","delivered":0}})").notice,
            "");
}

TEST_F(TailStreamTest, SaysWhoItIsAndHowLongSilenceMayLast) {
  EXPECT_FALSE(stream_.is_accepted());
  EXPECT_EQ(stream_.take(kAuthOk).notice, "connected as alice, granted signals orders");
  EXPECT_TRUE(stream_.is_accepted());
  EXPECT_EQ(stream_.silence_max(), milliseconds{30'000});
}

std::string auth_ok(const std::string& resume) {
  std::string message = kAuthOk;
  return message.insert(message.size() - 2, R"(,"resume":)" + resume);
}

TEST_F(TailStreamTest, SaysWhenEventsMayBeMissingAfterAReturn) {
  const std::string connected = "connected as alice, granted signals orders";
  EXPECT_EQ(stream_.take(kAuthOk).notice, connected);
  (void)stream_.take(kOrder);
  stream_.begin_connection();
  EXPECT_EQ(stream_.take(auth_ok(R"({"requested":"j1.42","complete":true})")).notice, connected);
  const std::string missing = connected + "; events since j1.42 may be missing: ";
  EXPECT_EQ(stream_.take(kAuthOk).notice, missing + "the server does not resume");
  const auto gap = [&](const std::string& reason) {
    return stream_.take(auth_ok(R"({"requested":"j1.42","complete":false,"reason":")" + reason + "\"}")).notice;
  };
  EXPECT_EQ(gap("trimmed"), missing + "trimmed, the server no longer has them");
  EXPECT_EQ(gap("epoch"), missing + "epoch, the server's log is another one");
  EXPECT_EQ(gap("unknown"), missing + "unknown, the server's log never gave out that position");
  EXPECT_EQ(gap("odd\\u001b"), missing + "odd?");
}

TEST_F(TailStreamTest, SaysOnceWhatBroughtItToWhereItIsLive) {
  const auto live = [&](const std::string& payload) {
    return stream_.take(R"({"type":"ack","event":"live","payload":)" + payload + "}");
  };
  EXPECT_EQ(live(R"({"position":"j1.50","replayed":0})").notice, "live at j1.50");
  EXPECT_EQ(stream_.position(), "j1.50");
  EXPECT_EQ(live(R"({"position":"j1.57","replayed":7})").notice, "live at j1.57, 7 replayed");
  EXPECT_EQ(stream_.position(), "j1.57");
}

// Who is cut off in the middle of a snapshot begins anew: its events are no place in the log to go on from.
TEST_F(TailStreamTest, ASnapshotIsMarkedAndMovesNoPosition) {
  const std::string alert = R"({"alert_id":"a","level":"ERROR","message":"m"})";
  const std::string line = printed(notification("system_alert", alert, R"(,"snapshot":true)"));
  EXPECT_EQ(line, "12:00:00.123  alert   ERROR  m  (snapshot)");
  EXPECT_EQ(stream_.position(), "");
  EXPECT_EQ(printed(notification("system_alert", alert, R"(,"late":true,"replayed":true)")),
            "12:00:00.123  alert   ERROR  m  (late)  (replayed)");
  EXPECT_EQ(stream_.position(), "j1.42");
}

TEST_F(TailStreamTest, AHeartbeatMovesThePositionOfAQuietClient) {
  (void)stream_.take(R"({"type":"heartbeat","event":"ping","payload":{"position":"j1.99","delivered":0}})");
  EXPECT_EQ(stream_.position(), "j1.99");
}

TEST_F(TailStreamTest, BeginsWhereItIsTold) {
  TailStream resumed(false, Palette(false), "j1.7");
  resumed.begin_connection();
  EXPECT_EQ(resumed.position(), "j1.7");
  EXPECT_EQ(resumed.take(auth_ok(R"({"complete":false,"reason":"epoch"})")).notice,
            "connected as alice, granted signals orders; events since j1.7 may be missing: epoch, the server's log is "
            "another one");
}

TEST_F(TailStreamTest, RemembersWhyItWasRefusedAndHowLongToStayAway) {
  EXPECT_EQ(
      stream_.take(R"({"type":"error","event":"auth_failed","payload":{"message":"too old","code":"expired"}})").notice,
      "the server says expired: too old");
  EXPECT_EQ(stream_.refusal(), "expired: too old");
  (void)stream_.take(R"({"type":"ack","event":"shutting_down","payload":{"retry_after_ms":1500}})");
  EXPECT_EQ(stream_.retry_after(), milliseconds{1500});
  stream_.begin_connection();
  EXPECT_EQ(stream_.refusal(), "");
  EXPECT_EQ(stream_.retry_after(), milliseconds{0});
}

TEST_F(TailStreamTest, IgnoresWhatItDoesNotKnow) {
  for (const char* message :
       {R"({"type":"ack","event":"new","payload":{}})", R"({"type":"new","event":"x","payload":{}})"}) {
    const auto reaction = stream_.take(message);
    EXPECT_EQ(reaction.print + reaction.notice + reaction.answer, "") << message;
  }
  EXPECT_NE(stream_.take("no json").notice, "");
}

}  // namespace
}  // namespace carillon::app
