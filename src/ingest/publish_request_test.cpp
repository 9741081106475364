#include "ingest/publish_request.hpp"

#include <gtest/gtest.h>

#include <set>

#include "base/json.hpp"

namespace carillon::ingest {
namespace {

constexpr std::string_view kAlert =
    R"({"event":"system_alert","payload":{"alert_id":"a","level":"INFO","message":"m"}})";

std::expected<std::vector<Event>, net::HttpResponse> parse(std::string body,
                                                           const std::string& type = "application/json") {
  net::HttpRequest request;
  request.head.fields.emplace_back("content-type", type);
  request.body = std::move(body);
  return parse_publish_request(request, ManualClock().wall_now());
}

int status_of(std::string body, const std::string& type = "application/json") {
  const auto result = parse(std::move(body), type);
  return result ? 202 : result.error().status;
}

TEST(PublishRequest, TakesOneAnArrayOrLines) {
  const std::string one(kAlert);
  EXPECT_EQ(parse(one)->size(), 1U);
  EXPECT_EQ(parse("[" + one + "," + one + "]")->size(), 2U);
  EXPECT_EQ(parse(one + "\n\r\n" + one + "\r\n" + one, "application/x-ndjson")->size(), 3U);
}

TEST(PublishRequest, MakesIdsThatAreUnlikeAndKeepsThoseGiven) {
  const std::string one(kAlert);
  const auto events = parse("[" + one + "," + one + R"(,{"id":"mine",)" + one.substr(1) + "]");
  ASSERT_TRUE(events);
  EXPECT_NE((*events)[0].id, (*events)[1].id);
  EXPECT_EQ((*events)[0].id.size(), 34U);
  EXPECT_EQ((*events)[2].id, "mine");
}

TEST(PublishRequest, NamesEveryBadItemAndTakesNone) {
  const std::string one(kAlert);
  const auto refused =
      parse("[" + one + R"(,{"event":"system_alert","payload":{"alert_id":"a","level":"LOUD","message":"m"}},)" + one +
            ",7]");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().status, 422);
  EXPECT_EQ(refused.error().content_type, "application/problem+json");
  const auto document = json::Document::parse(refused.error().body);
  ASSERT_TRUE(document);
  const auto errors = document->root().find("errors");
  ASSERT_TRUE(errors);
  std::vector<std::string> seen;
  for (const json::Value error : *errors)
    seen.push_back(std::string(error.find("index")->text()) + " " + std::string(*error.find_string("pointer")) + " " +
                   std::string(*error.find_string("code")));
  EXPECT_EQ(seen, (std::vector<std::string>{"1 /payload/level not_allowed", "3  wrong_type"}));
}

TEST(PublishRequest, TellsABadLineByItsIndex) {
  const auto refused = parse(std::string(kAlert) + "\n{\n", "application/x-ndjson");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().status, 422);
  EXPECT_NE(refused.error().body.find(R"("index":1,"pointer":"")"), std::string::npos);
}

TEST(PublishRequest, RefusesWhatIsNoBatch) {
  EXPECT_EQ(status_of("nonsense"), 400);
  EXPECT_EQ(status_of(""), 400);
  EXPECT_EQ(status_of("[]"), 400);
  EXPECT_EQ(status_of("\n\n", "application/x-ndjson"), 400);
  EXPECT_EQ(status_of("7"), 422);
  std::string many;
  for (int i = 0; i < 1000; ++i) many += std::string(kAlert) + ",";
  EXPECT_EQ(status_of("[" + many.substr(0, many.size() - 1) + "]"), 202);
  EXPECT_EQ(status_of("[" + many + std::string(kAlert) + "]"), 413);
}

// cases.md I7
TEST(PublishRequest, ReadsOnlyJsonInUtf8) {
  const std::string one(kAlert);
  for (const char* type :
       {"", "text/plain", "application/json; charset=latin1", "application/jsonx", "application/json;x=y"})
    EXPECT_EQ(status_of(one, type), 415) << type;
  for (const char* type : {"application/json", "Application/JSON; charset=UTF-8", "application/json;charset=\"utf-8\""})
    EXPECT_EQ(status_of(one, type), 202) << type;
  net::HttpRequest request;
  request.head.fields = {{"content-type", "application/json"}, {"content-encoding", "gzip"}};
  request.body = one;
  EXPECT_EQ(parse_publish_request(request, {}).error().status, 415);
}

}  // namespace
}  // namespace carillon::ingest
