#include "app/envelope_line.hpp"

#include <gtest/gtest.h>

#include <string>

#include "protocol/envelope.hpp"

namespace carillon::app {
namespace {

TEST(EnvelopeLine, KeepsAnIdThatIsThere) {
  EXPECT_EQ(prepare_envelope(R"( {"event":"x", "id" : "mine"} )", "new"), R"( {"event":"x", "id" : "mine"} )");
  // Not a good one; that is for the server to say.
  EXPECT_EQ(prepare_envelope(R"({"id":null})", "new"), R"({"id":null})");
}

TEST(EnvelopeLine, GivesAnIdWhereThereIsNone) {
  EXPECT_EQ(prepare_envelope(R"({"event":"x","payload":{"id":"inner","p":0.10}})", "new"),
            R"({"id":"new","event":"x","payload":{"id":"inner","p":0.10}})");
  EXPECT_EQ(prepare_envelope(" { }", "new"), R"({"id":"new" })");
}

TEST(EnvelopeLine, RefusesWhatIsNoJsonObject) {
  for (const char* line :
       {"", "{", "{broken", "[]", "1", "\"x\"", "null", "{\"a\":1}{\"a\":1}", "{\"a\":1,\"a\":2}", "{\"a\":\"\xff\"}"})
    EXPECT_FALSE(prepare_envelope(line, "new").has_value()) << line;
}

TEST(EnvelopeLine, RefusesWhatNoCallMayHold) {
  const std::string envelope = R"({"a":")" + std::string(protocol::kPublishBytesMax, 'x') + R"("})";
  const auto prepared = prepare_envelope(envelope, "new");
  ASSERT_FALSE(prepared.has_value());
  EXPECT_EQ(prepared.error().message, "is larger than a call may be");
}

TEST(EnvelopeLine, MakesIdsThatDiffer) {
  EXPECT_NE(make_event_id(), make_event_id());
  EXPECT_EQ(make_event_id().size(), 24U);
}

}  // namespace
}  // namespace carillon::app
