#include "protocol/client_message.hpp"

#include <gtest/gtest.h>

#include <string>

namespace carillon::protocol {
namespace {

// The message, which must be a T.
template <class T>
T read(std::string_view text) {
  auto message = parse_client_message(text);
  EXPECT_TRUE(message) << text << (message ? "" : message.error().message);
  if (!message || !std::holds_alternative<T>(*message)) {
    ADD_FAILURE() << "another message: " << text;
    return T{};
  }
  return std::get<T>(*std::move(message));
}

std::string code(std::string_view text) {
  const auto message = parse_client_message(text);
  if (message) return "ok";
  EXPECT_FALSE(message.error().message.empty());
  return std::string(message.error().code);
}

TEST(ClientMessage, AuthToken) {
  const auto all = read<AuthToken>(
      R"({"type":"auth","event":"token","payload":{"token":"a.b.c","resume":"j1.42","snapshot":false}})");
  EXPECT_EQ(all.token, "a.b.c");
  EXPECT_EQ(all.resume, "j1.42");
  EXPECT_FALSE(all.snapshot);
  const auto least = read<AuthToken>(R"({"type":"auth","event":"token","payload":{"token":""}})");
  EXPECT_EQ(least.token, "");
  EXPECT_FALSE(least.resume);
  EXPECT_TRUE(least.snapshot);
  EXPECT_TRUE(read<AuthToken>(R"({"type":"auth","event":"token","payload":{"token":"t","snapshot":true}})").snapshot);
}

TEST(ClientMessage, AMalformedPositionToResumeFromIsNoFault) {
  const auto resume = [](const std::string& value) {
    return read<AuthToken>(R"({"type":"auth","event":"token","payload":{"token":"t","resume":)" + value + "}}").resume;
  };
  EXPECT_EQ(resume(R"("not a position")"), "not a position");
  EXPECT_EQ(resume(R"("")"), "");
  for (const char* value : {"null", "42", "true", "{}", "[]"}) EXPECT_EQ(resume(value), "") << value;
}

TEST(ClientMessage, ATokenIsAString) {
  for (const char* payload : {R"({})", R"({"token":null})", R"({"token":1})", R"({"token":["t"]})", R"({"Token":"t"})"})
    EXPECT_EQ(code(R"({"type":"auth","event":"token","payload":)" + std::string(payload) + "}"), "bad_shape")
        << payload;
  EXPECT_EQ(code(R"({"type":"auth","event":"token"})"), "bad_shape");
  for (const char* snapshot : {"null", "0", "\"false\"", "{}"})
    EXPECT_EQ(
        code(R"({"type":"auth","event":"token","payload":{"token":"t","snapshot":)" + std::string(snapshot) + "}}"),
        "bad_shape")
        << snapshot;
}

TEST(ClientMessage, PingAndPongNeedNoPayload) {
  read<Ping>(R"({"type":"heartbeat","event":"ping"})");
  read<Pong>(R"({"type":"heartbeat","event":"pong"})");
  read<Ping>(R"( {"payload":{"any":[1]},"event":"ping","type":"heartbeat","timestamp":"2026-11-22T12:00:00.000Z"} )");
}

TEST(ClientMessage, Received) {
  EXPECT_EQ(read<Received>(R"({"type":"ack","event":"received","payload":{"id":"j1.42"}})").id, "j1.42");
  for (const char* payload : {R"({})", R"({"id":""})", R"({"id":1})", R"({"id":null})", R"({"id":"a b"})"})
    EXPECT_EQ(code(R"({"type":"ack","event":"received","payload":)" + std::string(payload) + "}"), "bad_shape")
        << payload;
  EXPECT_EQ(code(R"({"type":"ack","event":"received"})"), "bad_shape");
  EXPECT_EQ(code(R"({"type":"ack","event":"received","payload":{"id":")" + std::string(513, 'a') + "\"}}"),
            "bad_shape");
}

TEST(ClientMessage, UnknownTypesAndEvents) {
  for (const char* text :
       {R"({"type":"notification","event":"order_update","payload":{}})", R"({"type":"subscribe","event":"all"})",
        R"({"type":"heartbeat","event":"token"})", R"({"type":"heartbeat","event":"PING"})",
        R"({"type":"","event":""})", R"({"type":"auth","event":"ping","payload":{"token":"t"}})",
        R"({"type":"ack","event":"live","payload":{}})"})
    EXPECT_EQ(code(text), "unknown_type") << text;
}

TEST(ClientMessage, HasTheFormOfAMessage) {
  for (const char* text :
       {"null", "1", "\"ping\"", "[]", "{}", R"([{"type":"heartbeat","event":"ping"}])", R"({"type":"heartbeat"})",
        R"({"event":"ping"})", R"({"type":1,"event":"ping"})", R"({"type":"heartbeat","event":null})",
        R"({"type":"heartbeat","event":"ping","payload":null})", R"({"type":"heartbeat","event":"ping","payload":[]})",
        R"({"type":"heartbeat","event":"ping","payload":"x"})",
        R"({"type":"heartbeat","event":"ping","timestamp":null})",
        R"({"type":"heartbeat","event":"ping","timestamp":1795348800})",
        R"({"type":"heartbeat","event":"ping","timestamp":"today"})"})
    EXPECT_EQ(code(text), "bad_shape") << text;
}

TEST(ClientMessage, IgnoresMembersItDoesNotKnow) {
  read<Ping>(R"({"type":"heartbeat","event":"ping","id":7,"x":[{"y":null}],"n":-0,"m":0.1e-9999,"h":1e999999})");
  EXPECT_EQ(read<AuthToken>(R"({"type":"auth","event":"token","payload":{"token":"t","user_id":"bob"}})").token, "t");
}

TEST(ClientMessage, WhatIsNoJsonIsSaidWithoutRepeatingIt) {
  for (const std::string text :
       {"", "ping", "{", R"({"type":"secret)", R"({"type":"heartbeat","event":"ping"}{})", "\xEF\xBB\xBF{}",
        R"({"type":"heartbeat","type":"heartbeat","event":"ping"})", R"({"type":"heartbeat","event":"ping",})"}) {
    const auto message = parse_client_message(text);
    ASSERT_FALSE(message) << text;
    EXPECT_EQ(message.error().code, "not_json") << text;
    EXPECT_EQ(message.error().message.find("secret"), std::string::npos);
  }
}

TEST(ClientMessage, BoundsDepthAndMembers) {
  const auto nested = [](std::size_t depth) {
    return R"({"type":"heartbeat","event":"ping","x":)" + std::string(depth, '[') + std::string(depth, ']') + "}";
  };
  EXPECT_EQ(code(nested(31)), "ok");
  EXPECT_EQ(code(nested(32)), "not_json");
  EXPECT_EQ(code(std::string(100'000, '[')), "not_json");
  const auto members = [](int count) {
    std::string text = R"({"type":"heartbeat","event":"ping")";
    for (int i = 2; i < count; ++i) text += ",\"m" + std::to_string(i) + "\":1";
    return text + "}";
  };
  EXPECT_EQ(code(members(64)), "ok");
  EXPECT_EQ(code(members(65)), "not_json");
  EXPECT_EQ(code(members(10'000)), "not_json");
}

}  // namespace
}  // namespace carillon::protocol
