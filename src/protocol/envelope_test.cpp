#include "protocol/envelope.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "protocol/timestamp.hpp"

namespace carillon::protocol {
namespace {

const WallTime kNow = ManualClock{}.wall_now();  // 2026-11-22T12:00:00Z

// The text of a member's value by its name; an empty text leaves the member out.
using Members = std::map<std::string, std::string>;

std::string object(const Members& members) {
  std::string out = "{";
  for (const auto& [name, value] : members)
    if (!value.empty()) out += (out.size() > 1 ? ",\"" : "\"") + name + "\":" + value;
  return out + "}";
}

Members with(Members members, const Members& changes) {
  for (const auto& [name, value] : changes) members[name] = value;
  return members;
}

const Members kSignal = {{"signal_id", R"("s-1")"},       {"instrument_id", R"("BTC/USDT")"},
                         {"direction", R"("BUY")"},       {"entry_price", "64000.10"},
                         {"stop_loss", "63000"},          {"take_profit", "[65000.00,66000]"},
                         {"source_agent_id", R"("A-1")"}, {"confidence", "0.80"}};
const Members kOrder = {{"order_id", R"("o-1")"},
                        {"client_order_id", R"("c-1")"},
                        {"instrument_id", R"("BTC/USDT")"},
                        {"status", R"("PARTIALLY_FILLED")"},
                        {"side", R"("BUY")"},
                        {"type", R"("LIMIT")"},
                        {"quantity_total", "1.50"},
                        {"quantity_filled", "0.10"},
                        {"price_avg_filled", "64000.10"},
                        {"reason_failed", R"("why")"}};
const Members kAlert = {
    {"alert_id", R"("a-1")"}, {"level", R"("CRITICAL")"}, {"message", R"("it burns")"}, {"component", R"("gateway")"}};

struct Sample {
  EventKind kind;
  Members payload;
  std::vector<std::string> required;
};
const std::vector<Sample> kSamples = {
    {EventKind::new_trade_signal,
     kSignal,
     {"signal_id", "instrument_id", "direction", "entry_price", "stop_loss", "take_profit", "source_agent_id"}},
    {EventKind::order_update,
     kOrder,
     {"order_id", "instrument_id", "status", "side", "type", "quantity_total", "quantity_filled"}},
    {EventKind::system_alert, kAlert, {"alert_id", "level", "message"}},
};

Members envelope_of(EventKind kind, const Members& payload) {
  Members members = {{"event", "\"" + std::string(to_string(kind)) + "\""}, {"payload", object(payload)}};
  if (kind == EventKind::order_update) members["user_id"] = R"("alice")";
  return members;
}

std::string signal(const Members& changes) {
  return object(envelope_of(EventKind::new_trade_signal, with(kSignal, changes)));
}
std::string order(const Members& changes) {
  return object(envelope_of(EventKind::order_update, with(kOrder, changes)));
}
std::string alert(const Members& changes) {
  return object(envelope_of(EventKind::system_alert, with(kAlert, changes)));
}
// A whole envelope of the kind with some of its own members changed.
std::string signal_envelope(const Members& changes) {
  return object(with(envelope_of(EventKind::new_trade_signal, kSignal), changes));
}
std::string order_envelope(const Members& changes) {
  return object(with(envelope_of(EventKind::order_update, kOrder), changes));
}

// "ok", or "code pointer".
std::string outcome(std::string_view text) {
  const auto event = parse_envelope(text, kNow);
  if (event) return "ok";
  EXPECT_FALSE(event.error().message.empty());
  return event.error().code + " " + event.error().pointer;
}

Event accepted(std::string_view text) {
  auto event = parse_envelope(text, kNow);
  EXPECT_TRUE(event) << text << (event ? "" : event.error().pointer + ": " + event.error().message);
  return event ? *std::move(event) : Event{};
}

std::string quoted(std::size_t size) {
  return "\"" + std::string(size, 'x') + "\"";
}

std::string users(std::size_t count) {
  std::string out = R"({"users":[)";
  for (std::size_t i = 0; i < count; ++i) out += (i > 0 ? ",\"u" : "\"u") + std::to_string(i) + "\"";
  return out + "]}";
}

TEST(Envelope, TakesTheThreeEvents) {
  for (const Sample& sample : kSamples) {
    const Event event = accepted(object(envelope_of(sample.kind, sample.payload)));
    EXPECT_EQ(event.kind, sample.kind);
    EXPECT_EQ(event.payload, object(sample.payload));
    EXPECT_EQ(event.id, "");
    EXPECT_FALSE(event.timestamp);
    EXPECT_EQ(event.user_id, sample.kind == EventKind::order_update ? "alice" : "");
    EXPECT_TRUE(event.audience.empty());
  }
}

TEST(Envelope, TakesEachRequiredMemberAloneAndMissesEach) {
  for (const Sample& sample : kSamples) {
    Members least;
    for (const std::string& name : sample.required) least[name] = sample.payload.at(name);
    EXPECT_EQ(outcome(object(envelope_of(sample.kind, least))), "ok");
    for (const std::string& name : sample.required)
      EXPECT_EQ(outcome(object(envelope_of(sample.kind, with(least, {{name, ""}})))), "missing /payload/" + name);
  }
}

TEST(Envelope, NoKnownMemberMayBeOfAnotherKind) {
  for (const Sample& sample : kSamples) {
    for (const auto& [name, good] : sample.payload) {
      for (const std::string bad : {"null", "true", "{}", "\"text\"", "1", "[1]"}) {
        const bool same_kind = bad[0] == good[0] || (bad == "1" && (good[0] >= '0' && good[0] <= '9'));
        if (same_kind) continue;
        EXPECT_EQ(outcome(object(envelope_of(sample.kind, with(sample.payload, {{name, bad}})))),
                  "wrong_type /payload/" + name)
            << bad;
      }
    }
  }
}

TEST(Envelope, PassesUnknownMembersOfAPayloadOnUnchanged) {
  const Event event = accepted(
      R"({"event":"system_alert","payload":{"alert_id":"a","x":null,"user_id":"bob","level":"INFO","big":1e400,)"
      R"("message":"m","nested":{"a":[1.10,-0,1E5,{"b":"\u00e9\n"}]}}})");
  EXPECT_EQ(event.payload, R"({"alert_id":"a","x":null,"user_id":"bob","level":"INFO","big":1e400,"message":"m",)"
                           "\"nested\":{\"a\":[1.10,-0,1E5,{\"b\":\"\xC3\xA9\\n\"}]}}");
}

TEST(Envelope, IgnoresItsOwnUnknownMembers) {
  EXPECT_EQ(accepted(signal_envelope({{"source", "7"}, {"Audience", "[]"}})), accepted(signal_envelope({})));
}

TEST(Envelope, KeepsTheDigitsOfNumbers) {
  const Event event = accepted(order({{"quantity_total", "1.500"}, {"quantity_filled", "1e-08"}}));
  EXPECT_NE(event.payload.find(R"("quantity_filled":1e-08,"quantity_total":1.500)"), std::string::npos);
}

TEST(Envelope, StringsAreOneTo256Bytes) {
  EXPECT_EQ(outcome(signal({{"signal_id", quoted(256)}})), "ok");
  EXPECT_EQ(outcome(signal({{"signal_id", quoted(257)}})), "out_of_range /payload/signal_id");
  EXPECT_EQ(outcome(signal({{"signal_id", quoted(0)}})), "out_of_range /payload/signal_id");
  EXPECT_EQ(outcome(order({{"client_order_id", quoted(257)}})), "out_of_range /payload/client_order_id");
  EXPECT_EQ(outcome(alert({{"component", quoted(257)}})), "out_of_range /payload/component");
  std::string two_bytes_each;
  for (int i = 0; i < 128; ++i) two_bytes_each += "\xC3\xA9";
  EXPECT_EQ(outcome(signal({{"signal_id", "\"" + two_bytes_each + "\""}})), "ok");
  EXPECT_EQ(outcome(signal({{"signal_id", "\"" + two_bytes_each + "x\""}})), "out_of_range /payload/signal_id");
}

TEST(Envelope, MessagesAreOneTo4096Bytes) {
  EXPECT_EQ(outcome(alert({{"message", quoted(4096)}})), "ok");
  EXPECT_EQ(outcome(alert({{"message", quoted(4097)}})), "out_of_range /payload/message");
  EXPECT_EQ(outcome(alert({{"message", quoted(0)}})), "out_of_range /payload/message");
  EXPECT_EQ(outcome(order({{"reason_failed", quoted(4096)}})), "ok");
  EXPECT_EQ(outcome(order({{"reason_failed", quoted(4097)}})), "out_of_range /payload/reason_failed");
}

TEST(Envelope, StringsHaveNoControlCharacters) {
  for (const std::string escape :
       {"\\u0000", "\\n", "\\t", "\\u001f", "\\u007f", "\\u0080", "\\u009f", "\x7f", "\xC2\x85"}) {
    EXPECT_EQ(outcome(signal({{"signal_id", "\"a" + escape + "\""}})), "not_allowed /payload/signal_id") << escape;
    EXPECT_EQ(outcome(alert({{"message", "\"a" + escape + "\""}})), "not_allowed /payload/message") << escape;
    EXPECT_EQ(outcome(order_envelope({{"user_id", "\"a" + escape + "\""}})), "not_allowed /user_id") << escape;
  }
  EXPECT_EQ(outcome(signal({{"signal_id", R"("\u0020\u00a0\u2028\ud83d\udd14 é")"}})), "ok");
}

TEST(Envelope, WordsAreExactlyThose) {
  const auto each = [](const auto& make, const std::string& name, const std::vector<std::string>& words) {
    for (const std::string& word : words) EXPECT_EQ(outcome(make({{name, "\"" + word + "\""}})), "ok") << word;
    for (const char* bad : {"\"\"", "\"buy\"", "\"BUY \"", "\"OTHER\"", "\"B\\u0000\""})
      EXPECT_EQ(outcome(make({{name, bad}})), "not_allowed /payload/" + name) << bad;
  };
  each(signal, "direction", {"BUY", "SELL"});
  each(order, "side", {"BUY", "SELL"});
  each(order, "type", {"LIMIT", "MARKET"});
  each(order, "status", {"SUBMITTED", "PARTIALLY_FILLED", "FILLED", "CANCELED", "REJECTED", "EXPIRED"});
  each(alert, "level", {"INFO", "WARNING", "ERROR", "CRITICAL"});
  EXPECT_EQ(outcome(order({{"status", R"("CANCELLED")"}})), "not_allowed /payload/status");
  const auto fault = parse_envelope(signal({{"direction", R"("HOLD")"}}), kNow);
  ASSERT_FALSE(fault);
  EXPECT_EQ(fault.error().message, "must be one of BUY, SELL");
}

TEST(Envelope, NumbersHaveAtMost40CharactersAndSmallExponents) {
  for (const char* price :
       {"0", "-0", "-37.63", "0.00000001", "1e30", "1E-30", "1e-08", "1234567890123456789012345678901234567890"})
    EXPECT_EQ(outcome(signal({{"entry_price", price}, {"stop_loss", price}})), "ok") << price;
  for (const char* price : {"12345678901234567890123456789012345678901", "1e31", "1e-31", "1e400"}) {
    EXPECT_EQ(outcome(signal({{"entry_price", price}})), "out_of_range /payload/entry_price") << price;
    EXPECT_EQ(outcome(order({{"price_avg_filled", price}})), "out_of_range /payload/price_avg_filled") << price;
  }
}

TEST(Envelope, TakeProfitIsOneNumberOrMore) {
  std::string many = "[1";
  for (int i = 0; i < 999; ++i) many += ",1";
  EXPECT_EQ(outcome(signal({{"take_profit", "[1]"}})), "ok");
  EXPECT_EQ(outcome(signal({{"take_profit", "[-1.5,0,2]"}})), "ok");
  EXPECT_EQ(outcome(signal({{"take_profit", many + "]"}})), "ok");
  EXPECT_EQ(outcome(signal({{"take_profit", "[]"}})), "out_of_range /payload/take_profit");
  EXPECT_EQ(outcome(signal({{"take_profit", "[1,\"2\"]"}})), "wrong_type /payload/take_profit/1");
  EXPECT_EQ(outcome(signal({{"take_profit", "[null]"}})), "wrong_type /payload/take_profit/0");
  EXPECT_EQ(outcome(signal({{"take_profit", "[1,2,[3]]"}})), "wrong_type /payload/take_profit/2");
  EXPECT_EQ(outcome(signal({{"take_profit", "[1,1e31]"}})), "out_of_range /payload/take_profit/1");
}

TEST(Envelope, ConfidenceIsZeroToOne) {
  for (const char* good : {"0", "-0", "0.0", "1", "1.0", "1.000", "10e-1", "0.999", "1e-30"})
    EXPECT_EQ(outcome(signal({{"confidence", good}})), "ok") << good;
  for (const char* bad : {"-0.01", "1.00000000000000000000000000000001", "2", "1e1", "-1e-30"})
    EXPECT_EQ(outcome(signal({{"confidence", bad}})), "out_of_range /payload/confidence") << bad;
}

TEST(Envelope, QuantitiesAreMoreThanZeroAndFilledAtMostTotal) {
  const auto quantities = [](const char* total, const char* filled) {
    return outcome(order({{"quantity_total", total}, {"quantity_filled", filled}}));
  };
  for (const auto& [total, filled] : {std::pair{"1", "0"},
                                      {"1", "-0"},
                                      {"1", "1.000"},
                                      {"1e-30", "1e-30"},
                                      {"9007199254740993", "9007199254740993"},
                                      {"1e2", "100"}})
    EXPECT_EQ(quantities(total, filled), "ok") << total << ' ' << filled;
  for (const char* total : {"0", "-0", "0.00", "0e5", "-1", "-1e-30"})
    EXPECT_EQ(quantities(total, "0"), "out_of_range /payload/quantity_total") << total;
  for (const auto& [total, filled] : {std::pair{"1", "-1"},
                                      {"1", "-1e-30"},
                                      {"1", "1.0000000000000000000001"},
                                      {"9007199254740992", "9007199254740993"},
                                      {"99", "1e2"}})
    EXPECT_EQ(quantities(total, filled), "out_of_range /payload/quantity_filled") << total << ' ' << filled;
}

TEST(Envelope, AReasonMayStandWithAnyStatus) {
  for (const char* status : {"SUBMITTED", "FILLED", "REJECTED", "EXPIRED"})
    EXPECT_EQ(outcome(order({{"status", "\"" + std::string(status) + "\""}, {"reason_failed", R"("why")"}})), "ok");
}

TEST(Envelope, EventIsOneOfThree) {
  EXPECT_EQ(outcome(signal_envelope({{"event", ""}})), "missing /event");
  EXPECT_EQ(outcome(signal_envelope({{"event", R"("new_signal")"}})), "not_allowed /event");
  EXPECT_EQ(outcome(signal_envelope({{"event", R"("")"}})), "not_allowed /event");
  EXPECT_EQ(outcome(signal_envelope({{"event", "null"}})), "wrong_type /event");
  EXPECT_EQ(outcome(signal_envelope({{"event", "[]"}})), "wrong_type /event");
}

TEST(Envelope, IdIsOneTo128PrintableAsciiCharacters) {
  EXPECT_EQ(accepted(signal_envelope({{"id", R"("a b~!\"\\")"}})).id, "a b~!\"\\");
  EXPECT_EQ(outcome(signal_envelope({{"id", quoted(128)}})), "ok");
  EXPECT_EQ(outcome(signal_envelope({{"id", quoted(129)}})), "out_of_range /id");
  EXPECT_EQ(outcome(signal_envelope({{"id", quoted(0)}})), "out_of_range /id");
  for (const char* bad : {R"("é")", R"("\n")", R"("\u0000")", R"("\u007f")", R"("\u001f")"})
    EXPECT_EQ(outcome(signal_envelope({{"id", bad}})), "not_allowed /id") << bad;
  EXPECT_EQ(outcome(signal_envelope({{"id", "7"}})), "wrong_type /id");
  EXPECT_EQ(outcome(signal_envelope({{"id", "null"}})), "wrong_type /id");
}

TEST(Envelope, TimestampIsNormalisedToUtcMilliseconds) {
  const Event event = accepted(signal_envelope({{"timestamp", R"("2026-11-22T13:00:00.1239+01:00")"}}));
  EXPECT_EQ(event.timestamp, kNow + milliseconds{123});
  EXPECT_EQ(outcome(signal_envelope({{"timestamp", R"("2026-11-22")"}})), "bad_timestamp /timestamp");
  EXPECT_EQ(outcome(signal_envelope({{"timestamp", R"("")"}})), "bad_timestamp /timestamp");
  EXPECT_EQ(outcome(signal_envelope({{"timestamp", "1795348800000"}})), "wrong_type /timestamp");
  EXPECT_EQ(outcome(signal_envelope({{"timestamp", "null"}})), "wrong_type /timestamp");
}

TEST(Envelope, TimestampIsAtMost24HoursInTheFuture) {
  EXPECT_EQ(outcome(signal_envelope({{"timestamp", R"("2026-11-23T12:00:00.000Z")"}})), "ok");
  EXPECT_EQ(outcome(signal_envelope({{"timestamp", R"("2026-11-23T12:00:00.001Z")"}})), "out_of_range /timestamp");
  EXPECT_EQ(outcome(signal_envelope({{"timestamp", R"("9999-12-31T23:59:59Z")"}})), "out_of_range /timestamp");
  EXPECT_EQ(outcome(signal_envelope({{"timestamp", R"("0000-01-01T00:00:00Z")"}})), "ok");
}

TEST(Envelope, AnOrderUpdateNamesItsUser) {
  EXPECT_EQ(accepted(order_envelope({{"user_id", R"("Ünï *>.#+/:{}")"}})).user_id, "Ünï *>.#+/:{}");
  EXPECT_EQ(outcome(order_envelope({{"user_id", quoted(256)}})), "ok");
  EXPECT_EQ(outcome(order_envelope({{"user_id", ""}})), "missing /user_id");
  EXPECT_EQ(outcome(order_envelope({{"user_id", quoted(0)}})), "out_of_range /user_id");
  EXPECT_EQ(outcome(order_envelope({{"user_id", quoted(257)}})), "out_of_range /user_id");
  for (const char* bad : {"null", "1", "1.0", "[\"alice\"]", "true"})
    EXPECT_EQ(outcome(order_envelope({{"user_id", bad}})), "wrong_type /user_id") << bad;
}

TEST(Envelope, AUserIdOnAnotherEventIsRefusedNotIgnored) {
  for (const char* user : {R"("alice")", R"("")", "null"})
    EXPECT_EQ(outcome(signal_envelope({{"user_id", user}})), "not_allowed /user_id") << user;
  EXPECT_EQ(
      outcome(R"({"event":"system_alert","user_id":"a","payload":{"alert_id":"a","level":"INFO","message":"m"}})"),
      "not_allowed /user_id");
}

TEST(Envelope, AudienceIsSortedAndUnique) {
  const Event event = accepted(signal_envelope({{"audience", R"({"users":["carol","alice","carol","bob"]})"}}));
  EXPECT_EQ(event.audience, (std::vector<UserId>{"alice", "bob", "carol"}));
  EXPECT_EQ(outcome(signal_envelope({{"audience", users(1000)}})), "ok");
  EXPECT_EQ(outcome(signal_envelope({{"audience", users(1001)}})), "out_of_range /audience/users");
}

TEST(Envelope, AnAudienceThatSaysNothingIsNeverEveryone) {
  for (const auto& [audience, expected] : {std::pair{"{}", "missing /audience/users"},
                                           {R"({"user":["alice"]})", "missing /audience/users"},
                                           {R"({"users":[]})", "out_of_range /audience/users"},
                                           {R"({"users":null})", "wrong_type /audience/users"},
                                           {R"({"users":"alice"})", "wrong_type /audience/users"},
                                           {R"({"users":{"alice":true}})", "wrong_type /audience/users"},
                                           {R"({"users":[1]})", "wrong_type /audience/users/0"},
                                           {R"({"users":["alice",null]})", "wrong_type /audience/users/1"},
                                           {R"({"users":["alice",""]})", "out_of_range /audience/users/1"},
                                           {R"({"users":["alice","b\n"]})", "not_allowed /audience/users/1"},
                                           {R"({"users":["alice"],"roles":["x"]})", "not_allowed /audience"},
                                           {"null", "wrong_type /audience"},
                                           {"[]", "wrong_type /audience"},
                                           {R"(["alice"])", "wrong_type /audience"},
                                           {R"("alice")", "wrong_type /audience"},
                                           {"false", "wrong_type /audience"}})
    EXPECT_EQ(outcome(signal_envelope({{"audience", audience}})), expected) << audience;
}

TEST(Envelope, AnOrderUpdateHasNoAudience) {
  EXPECT_EQ(outcome(order_envelope({{"audience", R"({"users":["alice"]})"}})), "not_allowed /audience");
  EXPECT_EQ(outcome(order_envelope({{"audience", "null"}})), "not_allowed /audience");
}

TEST(Envelope, PayloadIsAnObject) {
  EXPECT_EQ(outcome(signal_envelope({{"payload", ""}})), "missing /payload");
  for (const char* bad : {"null", "[]", "\"{}\"", "1"})
    EXPECT_EQ(outcome(signal_envelope({{"payload", bad}})), "wrong_type /payload") << bad;
}

TEST(Envelope, IsAnObject) {
  for (const char* text : {"null", "[]", "\"x\"", "1", "[{}]"}) EXPECT_EQ(outcome(text), "wrong_type ") << text;
  EXPECT_EQ(outcome("{}"), "missing /event");
}

TEST(Envelope, WhatIsNoJsonSaysWhere) {
  for (const char* text : {"", "{", "nothing", "{\"event\":\"system_alert\",\"event\":\"system_alert\"}"})
    EXPECT_EQ(outcome(text), "not_json ") << text;
  const auto fault = parse_envelope(R"({"id":"a","id":"b"})", kNow);
  ASSERT_FALSE(fault);
  EXPECT_EQ(fault.error().message, "not valid JSON at byte 13: duplicate member name");
}

TEST(Envelope, BoundsDepthMembersAndValues) {
  EXPECT_EQ(outcome(signal({{"x", std::string(30, '[') + std::string(30, ']')}})), "ok");
  EXPECT_EQ(outcome(signal({{"x", std::string(31, '[') + std::string(31, ']')}})), "not_json ");
  Members many = kSignal;
  while (many.size() < 64) many["m" + std::to_string(many.size())] = "1";
  EXPECT_EQ(outcome(signal(many)), "ok");
  EXPECT_EQ(outcome(signal(with(many, {{"one_more", "1"}}))), "not_json ");
  std::string values = "[1";
  for (int i = 0; i < 5000; ++i) values += ",1";
  EXPECT_EQ(outcome(signal({{"x", values + "]"}})), "not_json ");
}

// What a batch lets through must not be refused when it is read from the log.
TEST(Envelope, IsBoundedInABatchAsAlone) {
  const auto in_batch = [](const std::string& envelope) {
    const auto batch = json::Document::parse("[" + envelope + "]", kBatchLimits);
    if (!batch) return std::string("refused");
    const auto event = parse_envelope(*batch->root().begin(), kNow);
    return event ? "ok" : event.error().code;
  };
  const auto values = [](int count) {
    std::string out = "[1";
    for (int i = 1; i < count; ++i) out += ",1";
    return out + "]";
  };
  const int others = 14;  // values of the sample besides the elements of x
  EXPECT_EQ(outcome(signal({{"x", values(4096 - others)}})), "ok");
  EXPECT_EQ(in_batch(signal({{"x", values(4096 - others)}})), "ok");
  EXPECT_EQ(outcome(signal({{"x", values(4097 - others)}})), "not_json ");
  EXPECT_EQ(in_batch(signal({{"x", values(4097 - others)}})), "too_large");
  EXPECT_EQ(in_batch(signal({{"x", std::string(31, '[') + std::string(31, ']')}})), "refused");
}

TEST(Envelope, BoundsTheBytesOfAPayload) {
  const std::string rest = R"({"alert_id":"a","level":"INFO","message":"m","x":""})";
  const auto padded = [&](std::size_t size) {
    const std::string x = "\"x\":\"" + std::string(size - rest.size(), 'p') + "\"";
    return R"({"event":"system_alert","payload":{"alert_id":"a","level":"INFO","message":"m",)" + x + "}}";
  };
  EXPECT_EQ(accepted(padded(kPayloadBytesMax)).payload.size(), kPayloadBytesMax);
  EXPECT_EQ(outcome(padded(kPayloadBytesMax + 1)), "too_large /payload");
  EXPECT_EQ(outcome(signal({}) + std::string(kPublishBytesMax, ' ')), "too_large ");
}

TEST(Envelope, IsEncodedCompactlyInAFixedOrder) {
  const Event order_update = accepted(
      R"( { "payload" : {"order_id":"o-1","instrument_id":"BTC/USDT","status":"SUBMITTED","side":"BUY","type":"LIMIT", )"
      R"("quantity_total":1.50,"quantity_filled":0 } , "user_id":"al\"ice","timestamp":"2026-11-22T12:00:00Z", )"
      R"("unknown":1, "event":"order_update", "id":"e \\1" } )");
  EXPECT_EQ(
      encode_envelope(order_update),
      R"({"id":"e \\1","event":"order_update","timestamp":"2026-11-22T12:00:00.000Z","user_id":"al\"ice",)"
      R"("payload":{"order_id":"o-1","instrument_id":"BTC/USDT","status":"SUBMITTED","side":"BUY","type":"LIMIT",)"
      R"("quantity_total":1.50,"quantity_filled":0}})");
  const Event narrowed = accepted(
      R"({"event":"system_alert","audience":{"users":["b","a"]},"payload":{"alert_id":"a","level":"INFO","message":"m"}})");
  EXPECT_EQ(
      encode_envelope(narrowed),
      R"({"event":"system_alert","audience":{"users":["a","b"]},"payload":{"alert_id":"a","level":"INFO","message":"m"}})");
}

TEST(Envelope, ReadsBackWhatItEncodes) {
  for (const std::string& text :
       {signal_envelope(
            {{"id", R"("i\\\"")"}, {"audience", users(1000)}, {"timestamp", R"("2026-11-22T12:00:00.5Z")"}}),
        order_envelope({{"id", R"("i")"}, {"user_id", R"("\"\\é")"}}), alert({}), signal({{"confidence", ""}})}) {
    const Event event = accepted(text);
    EXPECT_EQ(accepted(encode_envelope(event)), event);
  }
}

}  // namespace
}  // namespace carillon::protocol
