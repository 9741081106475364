#include "app/publisher.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <vector>

namespace carillon::app {
namespace {

using Strings = std::vector<std::string>;

HttpReply accepted(int count, int duplicates = 0) {
  return {.status = 202,
          .fields = {},
          .body = "{\"accepted\":" + std::to_string(count) + ",\"duplicates\":" + std::to_string(duplicates) + "}"};
}
HttpReply status(int code) {
  return {.status = code, .fields = {}, .body = {}};
}
std::unexpected<Error> lost() {
  return fail(ErrorKind::unavailable, "connection lost");
}

// A server that answers as scripted, a clock that never runs, and a user who waits `waits_max` times.
class PublisherTest : public testing::Test {
 protected:
  Result<> publish(std::initializer_list<std::string> lines) {
    std::vector<EnvelopeLine> batch;
    for (const std::string& line : lines) batch.push_back({static_cast<std::uint64_t>(10 + batch.size()), line});
    return publisher_.publish(std::move(batch));
  }

  std::deque<Result<HttpReply>> script_;
  Strings calls_;
  Strings told_;
  std::vector<milliseconds> waits_;
  std::size_t waits_max_ = 1000;
  bool is_interrupted_ = false;
  Publisher publisher_{{.call = [this](std::string_view lines) -> Result<HttpReply> {
                          calls_.emplace_back(lines);
                          if (script_.empty()) return status(500);
                          auto reply = std::move(script_.front());
                          script_.pop_front();
                          return reply;
                        },
                        .wait =
                            [this](milliseconds time) {
                              if (time.count() > 0) waits_.push_back(time);
                              return !is_interrupted_ && waits_.size() <= waits_max_;
                            },
                        .tell = [this](const std::string& what) { told_.push_back(what); }},
                       7};
};

TEST_F(PublisherTest, SendsABatchInOneCall) {
  script_ = {accepted(2, 1)};
  EXPECT_TRUE(publish({"a", "b", "c"}).has_value());
  EXPECT_EQ(calls_, Strings{"a\nb\nc\n"});
  EXPECT_EQ(publisher_.tally().accepted, 2U);
  EXPECT_EQ(publisher_.tally().duplicates, 1U);
  EXPECT_EQ(publisher_.tally().refused, 0U);
  EXPECT_TRUE(publish({}).has_value());
  EXPECT_EQ(calls_.size(), 1U);
}

TEST_F(PublisherTest, TellsOfRefusedLinesAndSendsTheOthers) {
  script_ = {HttpReply{.status = 422, .fields = {}, .body = R"({"errors":[
                 {"index":1,"pointer":"/payload/entry_price","message":"must be a number","code":"wrong_type"},
                 {"index":3,"pointer":"","message":"no JSON","code":"not_json"}]})"},
             accepted(2)};
  EXPECT_TRUE(publish({"a", "b", "c", "d"}).has_value());
  EXPECT_EQ(calls_, (Strings{"a\nb\nc\nd\n", "a\nc\n"}));
  EXPECT_EQ(told_, (Strings{"line 11: /payload/entry_price: must be a number", "line 13: no JSON"}));
  EXPECT_EQ(publisher_.tally().accepted, 2U);
  EXPECT_EQ(publisher_.tally().refused, 2U);
}

TEST_F(PublisherTest, AllLinesRefusedIsNoCallMore) {
  script_ = {HttpReply{.status = 422, .fields = {}, .body = R"({"errors":[{"index":0,"message":"m"}]})"}};
  EXPECT_TRUE(publish({"a"}).has_value());
  EXPECT_EQ(calls_.size(), 1U);
  EXPECT_EQ(publisher_.tally().refused, 1U);
}

TEST_F(PublisherTest, ARefusalThatNamesNoLineOfTheBatchEndsIt) {
  for (const char* body : {"", "{}", R"({"errors":[]})", R"({"errors":[{"index":9}]})", R"({"errors":[{}]})"}) {
    script_ = {HttpReply{.status = 422, .fields = {}, .body = body}};
    EXPECT_FALSE(publish({"a"}).has_value()) << body;
  }
}

TEST_F(PublisherTest, FindsTheOneLineThatConflicts) {
  const HttpReply conflict{
      .status = 409, .fields = {}, .body = R"({"title":"Conflict","detail":"id c is there with other content"})"};
  script_ = {conflict, accepted(2), conflict, conflict, accepted(1)};
  EXPECT_TRUE(publish({"a", "b", "c", "d"}).has_value());
  EXPECT_EQ(calls_, (Strings{"a\nb\nc\nd\n", "a\nb\n", "c\nd\n", "c\n", "d\n"}));
  EXPECT_EQ(told_, Strings{"line 12: 409 Conflict: id c is there with other content"});
  EXPECT_EQ(publisher_.tally().accepted, 3U);
  EXPECT_EQ(publisher_.tally().refused, 1U);
}

TEST_F(PublisherTest, RepeatsTheSameBytesUntilTheServerCanAnswer) {
  HttpReply busy = status(429);
  busy.fields.emplace_back("retry-after", "3");
  script_ = {status(503), busy, lost(), accepted(0, 1)};
  EXPECT_TRUE(publish({"a"}).has_value());
  EXPECT_EQ(calls_, (Strings{"a\n", "a\n", "a\n", "a\n"}));
  ASSERT_EQ(waits_.size(), 3U);
  EXPECT_GE(waits_[1], std::chrono::seconds{3});
  EXPECT_TRUE(told_[0].starts_with("503; trying again in ")) << told_[0];
  EXPECT_TRUE(told_[2].starts_with("connection lost; trying again in ")) << told_[2];
  EXPECT_EQ(publisher_.tally().duplicates, 1U);
}

TEST_F(PublisherTest, DoesNotWaitForAServerThatWasNeverThere) {
  script_ = {lost()};
  const auto published = publish({"a"});
  ASSERT_FALSE(published.has_value());
  EXPECT_EQ(published.error().message, "connection lost");
  EXPECT_TRUE(waits_.empty());
}

TEST_F(PublisherTest, DoesNotRepeatWhatCannotHelp) {
  script_ = {accepted(1), fail(ErrorKind::denied, "the certificate is not trusted")};
  EXPECT_TRUE(publish({"a"}).has_value());
  EXPECT_EQ(publish({"b"}).error().message, "the certificate is not trusted");
  for (const int code : {400, 401, 403, 404, 415}) {
    script_ = {status(code)};
    EXPECT_EQ(publish({"c"}).error().message, std::to_string(code));
  }
  EXPECT_TRUE(waits_.empty());
}

TEST_F(PublisherTest, GivesUpAfterItsPatience) {
  const auto published = publish({"a"});  // 500 for ever
  ASSERT_FALSE(published.has_value());
  EXPECT_EQ(published.error().message, "gave up: 500");
  milliseconds waited{0};
  for (const milliseconds wait : waits_) waited += wait;
  EXPECT_LE(waited, Publisher::kPatience);
  EXPECT_GT(waited, Publisher::kPatience - Backoff::Options{}.most);
}

TEST_F(PublisherTest, StopsWhenTheUserWillNotWait) {
  waits_max_ = 0;
  EXPECT_EQ(publish({"a"}).error().message, "interrupted: 500");
  is_interrupted_ = true;
  told_.clear();
  EXPECT_EQ(publish({"b"}).error().message, "interrupted");
  EXPECT_TRUE(told_.empty());
}

}  // namespace
}  // namespace carillon::app
