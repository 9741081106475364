#include "eventlog/redis_broker.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "brokers/broker_process.hpp"
#include "brokers/expect_started.hpp"
#include "brokers/insist.hpp"
#include "eventlog/redis_connection.hpp"
#include "eventlog/redis_tls.hpp"

namespace carillon::eventlog {
namespace {

using brokers::BrokerProcess;
using std::chrono::hours;
using std::chrono::seconds;

constexpr milliseconds kNow{0};

class RedisBroker : public testing::Test {
 protected:
  // One server for all tests that leave it as it was; each has its own stream.
  static void SetUpTestSuite() {
    server_ = std::make_unique<BrokerProcess>("redis");
    started_ = server_->start();
  }
  static void TearDownTestSuite() { server_.reset(); }

  void SetUp() override {
    brokers::expect_started(started_);
    if (!started_) return;
    stream_ = fmt::format("events:{}", testing::UnitTest::GetInstance()->current_test_info()->name());
    use(*server_);
  }

  // The test goes on with a server of its own.
  BrokerProcess& use_own(const std::vector<std::string>& settings = {}) {
    own_ = std::make_unique<BrokerProcess>("redis");
    const Result<> started = own_->start(settings);
    EXPECT_TRUE(started) << started.error().message;
    use(*own_);
    return *own_;
  }
  void use(BrokerProcess& server) {
    access_.url = server.said("url");
    open();
  }
  void open() {
    Result<std::unique_ptr<Broker>> made = make_redis_broker({.access = access_, .stream = stream_});
    ASSERT_TRUE(made) << made.error().message;
    broker_ = *std::move(made);
    reader_ = broker_->make_reader();
    writer_ = broker_->make_writer();
    Result<RedisAddress> address = parse_redis_url(access_.url);
    ASSERT_TRUE(address);
    console_ = std::make_unique<RedisConnection>(*address, access_);
  }
  void connect() {
    const Result<Extent> extent = insist([&] { return reader_->connect(); });
    ASSERT_TRUE(extent) << extent.error().message;
    const Result<> writer = insist([&] { return writer_->connect(); });
    ASSERT_TRUE(writer) << writer.error().message;
    ASSERT_TRUE(insist([&] { return console_->connect(); }));
  }
  // Connects and follows from the beginning.
  void follow() {
    connect();
    ASSERT_TRUE(reader_->seek(Place(Offset{})));
  }

  // What an administrator types.
  std::string redis(const std::vector<std::string_view>& words) {
    console_->add(words);
    const Result<RedisReply*> reply = console_->expect();
    EXPECT_TRUE(reply) << reply.error().message;
    return reply ? std::string((*reply)->next().text) : std::string();
  }
  std::vector<Offset> append(const std::vector<std::string>& texts) {
    std::vector<Record> records;
    records.reserve(texts.size());
    for (const std::string& text : texts) records.push_back({.id = "id of " + text.substr(0, 16), .bytes = text});
    const Result<std::vector<BrokerWriter::Stood>> stood = writer_->append(records);
    EXPECT_TRUE(stood) << stood.error().message;
    std::vector<Offset> offsets;
    if (stood) {
      for (const BrokerWriter::Stood& each : *stood) offsets.push_back(each.offset.value_or(Offset{}));
    }
    return offsets;
  }
  std::vector<BrokerRecord> read(std::size_t count) {
    std::vector<BrokerRecord> records;
    while (records.size() < count) {
      Result<BrokerReader::Batch> batch = reader_->read(seconds{5});
      if (!batch || batch->gap || batch->records.empty()) {
        ADD_FAILURE() << "read " << records.size() << " of " << count << (batch ? "" : batch.error().message);
        break;
      }
      std::ranges::move(batch->records, std::back_inserter(records));
    }
    return records;
  }
  std::vector<std::string> read_bytes(std::size_t count) {
    std::vector<std::string> bytes;
    for (BrokerRecord& record : read(count)) bytes.push_back(std::move(record.bytes));
    return bytes;
  }
  // A foreign producer's entries, one by one.
  void put(int count, std::initializer_list<std::string_view> trimming = {}) {
    std::vector<std::string_view> words{"XADD", stream_};
    words.insert(words.end(), trimming);
    for (const std::string_view word : {"*", "event", "foreign"}) words.push_back(word);
    for (; count > 0; --count) redis(words);
  }
  // The next read, which shall find nothing to read.
  std::optional<GapReason> gap() {
    const Result<BrokerReader::Batch> batch = reader_->read(kNow);
    EXPECT_TRUE(batch) << batch.error().message;
    if (!batch) return std::nullopt;
    EXPECT_TRUE(batch->records.empty());
    return batch->gap;
  }

  static inline std::unique_ptr<BrokerProcess> server_;
  static inline Result<> started_;

  std::unique_ptr<BrokerProcess> own_;
  std::string stream_;
  BrokerAccess access_;
  std::unique_ptr<Broker> broker_;
  std::unique_ptr<BrokerReader> reader_;
  std::unique_ptr<BrokerWriter> writer_;
  std::unique_ptr<RedisConnection> console_;
};

std::vector<std::string> numbers(int first, int last) {
  std::vector<std::string> texts;
  for (int number = first; number <= last; ++number) texts.push_back(std::to_string(number));
  return texts;
}

TEST_F(RedisBroker, GivesBackWhatWasAppendedInOrder) {
  follow();
  const std::vector<Offset> offsets = append({"one", "two", "three"});
  ASSERT_EQ(offsets.size(), 3U);
  const std::vector<BrokerRecord> records = read(3);
  ASSERT_EQ(records.size(), 3U);
  EXPECT_EQ(records[0].bytes, "one");
  EXPECT_EQ(records[1].bytes, "two");
  EXPECT_EQ(records[2].bytes, "three");
  EXPECT_EQ(records[2].id, "id of three");
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(records[i].offset, offsets[i]);
    EXPECT_EQ(records[i].lane, 0U);
    EXPECT_EQ(records[i].logged_at.time_since_epoch().count(), static_cast<std::int64_t>(offsets[i].high));
  }
  EXPECT_EQ(gap(), std::nullopt);
}

TEST_F(RedisBroker, GoesOnAfterAnyPlace) {
  connect();
  const std::vector<std::string> texts = numbers(1, 3000);
  const std::vector<Offset> offsets = append(texts);
  for (const std::size_t at : {0U, 1U, 63U, 64U, 65U, 1500U, 2998U}) {
    ASSERT_TRUE(reader_->seek(Place(offsets[at])));
    EXPECT_EQ(read_bytes(2999 - at), std::vector(texts.begin() + static_cast<std::ptrdiff_t>(at) + 1, texts.end()));
    EXPECT_EQ(gap(), std::nullopt);
  }
}

TEST_F(RedisBroker, KeepsBytesAsTheyAre) {
  follow();
  const std::string all_bytes = [] {
    std::string bytes;
    for (int byte = 0; byte < 256; ++byte) bytes += static_cast<char>(byte);
    return bytes + "\r\n$-1\r\n" + '\0';
  }();
  append({all_bytes, "", "\r\n"});
  EXPECT_EQ(read_bytes(3), (std::vector<std::string>{all_bytes, "", "\r\n"}));
}

TEST_F(RedisBroker, TakesRecordsOfOneMebibyteAndManyAtOnce) {
  follow();
  std::vector<std::string> texts = numbers(1, 4096);
  for (int letter = 0; letter < 20; ++letter) {
    texts.push_back(std::string(std::size_t{1} << 20, static_cast<char>('a' + letter)));
  }
  append(texts);
  EXPECT_EQ(read_bytes(texts.size()), texts);
}

TEST_F(RedisBroker, WaitsForARecordAndNotForMore) {
  follow();
  std::thread producer([&] { append({"awaited"}); });
  EXPECT_EQ(read_bytes(1), std::vector<std::string>{"awaited"});
  producer.join();
}

TEST_F(RedisBroker, KnowsWhereTheLogStoodAtATime) {
  connect();
  EXPECT_EQ(*reader_->place_at(WallTime{std::chrono::hours{500'000}}), Place(Offset{}));
  redis({"XADD", stream_, "1000-0", "event", "a"});
  redis({"XADD", stream_, "1000-1", "event", "b"});
  redis({"XADD", stream_, "2000-0", "event", "c"});
  ASSERT_TRUE(reader_->seek(*reader_->place_at(WallTime{milliseconds{1000}})));
  EXPECT_EQ(read_bytes(3), (std::vector<std::string>{"a", "b", "c"}));
  ASSERT_TRUE(reader_->seek(*reader_->place_at(WallTime{milliseconds{1001}})));
  EXPECT_EQ(read_bytes(1), std::vector<std::string>{"c"});
  EXPECT_EQ(*reader_->place_at(WallTime{milliseconds{2001}}), Place(Offset{2000, 0}));
  EXPECT_EQ(*writer_->end(), Place(Offset{2000, 0}));
  EXPECT_EQ(*reader_->place_at(WallTime{milliseconds{-1}}), Place(Offset{}));
}

TEST_F(RedisBroker, ShowsWhatAForeignEntryHolds) {
  follow();
  redis({"XADD", stream_, "*", "type", "order_update", "user", "u1"});
  redis({"XADD", stream_, "*", "note", "first", "event", "an envelope", "event", "the last one counts"});
  redis({"XADD", stream_, "*", "note", std::string(std::size_t{2} << 20, 'x'), "more", "y"});
  redis({"XADD", stream_, "*", "event", std::string(std::size_t{2} << 20, 'x'), "id", std::string(129, 'i')});
  ASSERT_TRUE(server_->put(stream_, "by the script"));
  redis({"XADD", stream_, "18446744073709551615-1", "event", "of the end of time"});
  const std::vector<BrokerRecord> records = read(6);
  ASSERT_EQ(records.size(), 6U);
  EXPECT_EQ(records[0].bytes, "no field \"event\" but type=order_update, user=u1");
  EXPECT_EQ(records[0].id, "");
  EXPECT_EQ(records[1].bytes, "the last one counts");
  EXPECT_EQ(records[2].bytes.size(), std::size_t{1} << 20);
  EXPECT_EQ(records[3].bytes.size(), (std::size_t{1} << 20) + 1);
  EXPECT_EQ(records[3].id, "");
  EXPECT_EQ(records[4].bytes, "by the script");
  EXPECT_EQ(records[5].offset.high, 18446744073709551615U);
  EXPECT_EQ(records[5].logged_at.time_since_epoch().count(), 253402300799999);
}

TEST_F(RedisBroker, IsNotAlarmedByTrimmingBehindTheReader) {
  BrokerProcess& server = use_own({"appendonly=no"});
  follow();
  for (int round = 0; round < 300; ++round) {
    put(3, {"MAXLEN", "~", "100"});
    EXPECT_EQ(read(3).size(), 3U);
  }
  put(5, {"MAXLEN", "=", "5"});
  EXPECT_EQ(read(5).size(), 5U);
  ASSERT_TRUE(server.trim(stream_, 0));
  EXPECT_EQ(gap(), std::nullopt);
  EXPECT_EQ(reader_->look()->added, 905U);
}

TEST_F(RedisBroker, ExtentCoversWhatIsFollowedAsLongAsNothingIsLost) {
  follow();
  const std::vector<Offset> first = append(numbers(1, 10));
  read(10);
  const std::vector<Offset> second = append(numbers(11, 20));
  ASSERT_TRUE(server_->trim(stream_, 10));
  const Result<Extent> exact = reader_->look();
  ASSERT_TRUE(exact);
  EXPECT_TRUE(Place(first.back()).covers(exact->before_first));
  EXPECT_EQ(exact->last, Place(second.back()));
  EXPECT_EQ(exact->added, 20U);
  const Result<Extent> again = reader_->connect();
  ASSERT_TRUE(again);
  EXPECT_TRUE(Place(first.back()).covers(again->before_first));

  ASSERT_TRUE(server_->trim(stream_, 9));
  const Result<Extent> beyond = reader_->look();
  ASSERT_TRUE(beyond);
  EXPECT_FALSE(Place(first.back()).covers(beyond->before_first));
  EXPECT_EQ(gap(), GapReason::trimmed);
}

TEST_F(RedisBroker, SaysThatTrimmingPassedTheReader) {
  follow();
  put(10);
  read(10);
  put(20, {"MAXLEN", "=", "5"});
  EXPECT_EQ(gap(), GapReason::trimmed);
}

TEST_F(RedisBroker, SaysThatTrimmingPassedTheReaderWhileItWasBehind) {
  connect();
  const std::vector<Offset> offsets = append(numbers(1, 3000));
  ASSERT_TRUE(reader_->seek(Place(offsets[99])));
  EXPECT_FALSE(reader_->read(kNow)->records.empty());
  ASSERT_TRUE(server_->trim(stream_, 100));
  EXPECT_EQ(gap(), GapReason::trimmed);
}

TEST_F(RedisBroker, SaysThatAnEntryWasDeletedBeforeItWasRead) {
  follow();
  const std::vector<Offset> offsets = append(numbers(1, 10));
  read(10);
  const auto remove = [&](Offset offset) { redis({"XDEL", stream_, fmt::format("{}-{}", offset.high, offset.low)}); };
  remove(offsets[9]);
  remove(offsets[4]);
  EXPECT_EQ(gap(), std::nullopt);
  const std::vector<Offset> more = append(numbers(11, 13));
  remove(more[1]);
  EXPECT_EQ(gap(), GapReason::trimmed);
}

TEST_F(RedisBroker, SaysThatTheStreamWasMadeAnew) {
  using Act = std::function<void()>;
  const std::vector<std::pair<const char*, Act>> cases{
      {"gone", [&] { redis({"DEL", stream_}); }},
      {"empty", [&] { ASSERT_TRUE(server_->recreate(stream_)); }},
      {"lower ids",
       [&] {
         redis({"DEL", stream_});
         redis({"XADD", stream_, "5-1", "event", "old"});
       }},
      {"higher ids",
       [&] {
         redis({"DEL", stream_});
         put(3);
       }},
      {"more than before",
       [&] {
         redis({"DEL", stream_});
         put(30);
       }},
      {"FLUSHDB", [&] { redis({"FLUSHDB"}); }},
      {"FLUSHALL",
       [&] {
         redis({"FLUSHALL"});
         put(10);
       }},
      {"another value", [&] { redis({"RENAME", stream_ + ":other", stream_}); }},
  };
  for (const auto& [name, act] : cases) {
    SCOPED_TRACE(name);
    open();
    follow();
    put(10);
    redis({"XADD", stream_ + ":other", "*", "event", "other"});
    redis({"XADD", stream_ + ":other", "*", "event", "other"});
    read(10);
    act();
    EXPECT_EQ(gap(), GapReason::epoch);
    redis({"DEL", stream_, stream_ + ":other"});
  }
}

TEST_F(RedisBroker, SaysThatAStaleReplicaTookOver) {
  BrokerProcess replica("redis");
  BrokerProcess& main = use_own();
  const auto port_of = [](const BrokerProcess& process) {
    return fmt::to_string(parse_redis_url(process.said("url"))->server.port);
  };
  ASSERT_TRUE(replica.start({"replicaof=127.0.0.1 " + port_of(main)}));
  follow();
  append(numbers(1, 10));
  EXPECT_EQ(read(10).size(), 10U);
  redis({"WAIT", "1", "10000"});
  RedisConnection other(*parse_redis_url(replica.said("url")), access_);
  ASSERT_TRUE(other.connect());
  ASSERT_TRUE(other.call({"REPLICAOF", "NO", "ONE"}));
  append(numbers(11, 15));
  EXPECT_EQ(read(5).size(), 5U);

  // The first one comes back as a replica of what it was ahead of, and a producer goes on.
  ASSERT_TRUE(other.call({"XADD", stream_, "*", "event", "of another history"}));
  redis({"REPLICAOF", "127.0.0.1", port_of(replica)});
  std::optional<GapReason> said;
  for (int tries = 0; tries < 1000 && !said; ++tries) {
    if (!reader_->connect()) continue;
    const Result<BrokerReader::Batch> batch = reader_->read(milliseconds{10});
    if (batch) said = batch->gap;
  }
  EXPECT_EQ(said, GapReason::epoch);
  const Result<std::vector<BrokerWriter::Stood>> refused =
      writer_->append(std::vector<Record>{{.id = "1", .bytes = "1"}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::unavailable);
  EXPECT_NE(refused.error().message.find("replica"), std::string::npos);
}

TEST_F(RedisBroker, LosesNothingAcknowledgedToAKill) {
  BrokerProcess& server = use_own();
  follow();
  std::vector<std::string> texts;
  for (int round = 0; round < 3; ++round) {
    const std::vector<std::string> more = numbers(round * 100 + 1, round * 100 + 100);
    ASSERT_EQ(append(more).size(), more.size());
    texts.insert(texts.end(), more.begin(), more.end());
    if (round == 1) EXPECT_EQ(read_bytes(200), texts);
    ASSERT_TRUE(server.kill());
    const Result<BrokerReader::Batch> lost = reader_->read(kNow);
    ASSERT_FALSE(lost);
    EXPECT_EQ(lost.error().kind, ErrorKind::unavailable);
    EXPECT_EQ(reader_->connect().error().kind, ErrorKind::unavailable);
    ASSERT_TRUE(server.start());
    connect();
    if (HasFatalFailure()) return;
  }
  EXPECT_EQ(read_bytes(100), numbers(201, 300));
  EXPECT_EQ(gap(), std::nullopt);
  ASSERT_TRUE(reader_->seek(Place(Offset{})));
  EXPECT_EQ(read_bytes(texts.size()), texts);
}

TEST_F(RedisBroker, GoesOnWhereItWasAfterARestart) {
  BrokerProcess& server = use_own();
  follow();
  append(numbers(1, 10));
  EXPECT_EQ(read(10).size(), 10U);
  append(numbers(11, 20));
  ASSERT_TRUE(server.stop());
  ASSERT_FALSE(reader_->read(kNow));
  ASSERT_TRUE(server.start());
  connect();
  EXPECT_EQ(read_bytes(10), numbers(11, 20));
  EXPECT_EQ(gap(), std::nullopt);
}

TEST_F(RedisBroker, DoesNotWaitForAServerThatStandsStill) {
  BrokerProcess& server = use_own();
  access_.timeout = milliseconds{1000};
  open();
  follow();
  ASSERT_TRUE(server.pause());
  const Result<BrokerReader::Batch> batch = reader_->read(milliseconds{50});
  ASSERT_FALSE(batch);
  EXPECT_EQ(batch.error().kind, ErrorKind::unavailable);
  EXPECT_NE(batch.error().message.find("does not answer within 1050 ms"), std::string::npos) << batch.error().message;
  const Result<std::vector<BrokerWriter::Stood>> appended =
      writer_->append(std::vector<Record>{{.id = "1", .bytes = "1"}});
  ASSERT_FALSE(appended);
  EXPECT_EQ(appended.error().kind, ErrorKind::unavailable);
  EXPECT_EQ(reader_->connect().error().kind, ErrorKind::unavailable);
  EXPECT_EQ(writer_->end().error().kind, ErrorKind::unavailable);
  ASSERT_TRUE(server.resume());
  connect();
  ASSERT_TRUE(reader_->seek(Place(Offset{})));
  EXPECT_TRUE(reader_->read(kNow));
}

TEST_F(RedisBroker, RefusesWhatItIsNotLetInto) {
  use_own({"password=Sesame"});
  const auto refused = [&] {
    open();
    const Result<Extent> extent = reader_->connect();
    EXPECT_FALSE(extent);
    if (extent) return;
    EXPECT_EQ(extent.error().kind, ErrorKind::denied) << extent.error().message;
    EXPECT_TRUE(extent.error().message.starts_with("Redis at 127.0.0.1:")) << extent.error().message;
    EXPECT_EQ(extent.error().message.find("Sesame"), std::string::npos) << extent.error().message;
    EXPECT_EQ(writer_->connect().error().kind, ErrorKind::denied);
  };
  refused();
  access_.password = "not Sesame";
  refused();
  access_.password = "Sesame";
  access_.username = "nobody";
  refused();
  access_.username = "default";
  open();
  connect();
}

// What docs/operations.md tells an operator to grant.
TEST_F(RedisBroker, NeedsNoMoreThanItsRights) {
  access_.password = "Sesame";
  use_own({"password=Sesame"});
  connect();
  redis({"ACL", "SETUSER", "carillon", "on", ">a secret", "~" + stream_, "~" + stream_ + ":notes", "+hello", "+select",
         "+client|setname", "+multi", "+exec", "+xadd", "+xrange", "+xrevrange", "+xread", "+xtrim", "+xinfo|stream",
         "+config|get"});
  access_ = {.url = "redis://carillon@" + access_.url.substr(std::string_view("redis://").size()),
             .username = {},
             .password = "a secret",
             .ca_file = {},
             .certificate = {},
             .private_key = {}};
  open();
  ASSERT_TRUE(reader_->connect());
  ASSERT_TRUE(reader_->seek(Place(Offset{})));
  ASSERT_TRUE(writer_->connect());
  append({"one"});
  EXPECT_EQ(read_bytes(1), std::vector<std::string>{"one"});
  ASSERT_TRUE(writer_->append_note("a note"));
  EXPECT_EQ(*writer_->read_notes(), std::vector<std::string>{"a note"});
  EXPECT_TRUE(writer_->warnings().empty());

  stream_ = "another";
  open();
  EXPECT_EQ(reader_->connect().error().kind, ErrorKind::denied);
}

TEST_F(RedisBroker, MakesNoStreamWhereItMayNot) {
  access_.may_create = false;
  open();
  EXPECT_EQ(reader_->connect().error().kind, ErrorKind::not_found);
  const Result<> writer = writer_->connect();
  ASSERT_FALSE(writer);
  EXPECT_EQ(writer.error().kind, ErrorKind::not_found);
  EXPECT_NE(writer.error().message.find("there is no stream " + stream_), std::string::npos);

  ASSERT_TRUE(server_->recreate(stream_));
  follow();
  append({"one"});
  EXPECT_EQ(read_bytes(1), std::vector<std::string>{"one"});
  redis({"DEL", stream_});
  EXPECT_EQ(writer_->append(std::vector<Record>{{.id = "2", .bytes = "two"}}).error().kind, ErrorKind::not_found);
  EXPECT_EQ(gap(), GapReason::epoch);
}

TEST_F(RedisBroker, AnAbsentStreamIsAnEmptyOne) {
  const Result<Extent> extent = reader_->connect();
  ASSERT_TRUE(extent);
  EXPECT_EQ(extent->before_first, Place(Offset{}));
  EXPECT_EQ(extent->last, Place(Offset{}));
  EXPECT_EQ(extent->last.lanes(), 1U);
  EXPECT_EQ(extent->added, 0U);
  ASSERT_TRUE(reader_->seek(extent->before_first));
  EXPECT_EQ(gap(), std::nullopt);
  connect();
  EXPECT_EQ(*writer_->end(), Place(Offset{}));
  append({"the first"});
  EXPECT_EQ(read_bytes(1), std::vector<std::string>{"the first"});
}

TEST_F(RedisBroker, RefusesAKeyThatIsNoStream) {
  connect();
  redis({"SET", stream_, "a text"});
  const Result<Extent> extent = reader_->connect();
  ASSERT_FALSE(extent);
  EXPECT_EQ(extent.error().kind, ErrorKind::invalid);
  EXPECT_NE(extent.error().message.find("other than a stream"), std::string::npos) << extent.error().message;
  EXPECT_EQ(writer_->connect().error().kind, ErrorKind::invalid);
  redis({"DEL", stream_});
}

TEST_F(RedisBroker, SaysWhenThereIsNoRoomOrTooFewReplicas) {
  use_own();
  follow();
  const std::vector<Record> one{{.id = "1", .bytes = "1"}};
  redis({"CONFIG", "SET", "maxmemory", "1"});
  EXPECT_EQ(writer_->append(one).error().kind, ErrorKind::full);
  redis({"CONFIG", "SET", "maxmemory", "0"});
  redis({"CONFIG", "SET", "min-replicas-to-write", "1"});
  ASSERT_TRUE(writer_->connect());
  EXPECT_EQ(writer_->append(one).error().kind, ErrorKind::unavailable);
  redis({"CONFIG", "SET", "min-replicas-to-write", "0"});
  ASSERT_TRUE(writer_->connect());
  EXPECT_TRUE(writer_->append(one));
  EXPECT_EQ(read(1).size(), 1U);
}

TEST_F(RedisBroker, UsesTheDatabaseOfTheUrl) {
  const std::unique_ptr<BrokerReader> zero = broker_->make_reader();
  ASSERT_TRUE(zero->connect());
  ASSERT_TRUE(zero->seek(Place(Offset{})));
  access_.url += "/3";
  open();
  follow();
  append({"three"});
  EXPECT_EQ(read_bytes(1), std::vector<std::string>{"three"});
  EXPECT_TRUE(zero->read(kNow)->records.empty());
  access_.url.back() = '9';
  access_.url += "9";
  open();
  EXPECT_EQ(reader_->connect().error().kind, ErrorKind::invalid);
}

TEST_F(RedisBroker, HasNothingToWarnOfWhereEverySettingIsDurable) {
  connect();
  EXPECT_EQ(writer_->warnings(), std::vector<std::string>{});
}

TEST_F(RedisBroker, WarnsOfWhatMakesAnAcknowledgementWeaker) {
  use_own({"appendonly=no", "maxmemory=1gb", "maxmemory-policy=allkeys-lru"});
  connect();
  std::vector<std::string> warnings = writer_->warnings();
  ASSERT_EQ(warnings.size(), 2U);
  EXPECT_NE(warnings[0].find("appendonly is no"), std::string::npos);
  EXPECT_NE(warnings[1].find("maxmemory-policy is allkeys-lru"), std::string::npos);
  redis({"CONFIG", "SET", "appendonly", "yes", "appendfsync", "everysec", "no-appendfsync-on-rewrite", "yes",
         "maxmemory", "0"});
  warnings = writer_->warnings();
  ASSERT_EQ(warnings.size(), 2U);
  EXPECT_NE((warnings[0] + warnings[1]).find("appendfsync is everysec"), std::string::npos);
  EXPECT_NE((warnings[0] + warnings[1]).find("no-appendfsync-on-rewrite is yes"), std::string::npos);
}

TEST_F(RedisBroker, TrimsWhatIsOlderThanItIsToldToKeep) {
  access_.retention = hours{1};
  open();
  follow();
  for (int number = 1; number <= 1000; ++number) redis({"XADD", stream_, fmt::format("{}-1", number), "event", "old"});
  read(1000);
  const std::vector<Offset> appended = append({"new"});
  // Redis lets go of whole nodes of its tree, here of a hundred entries each.
  console_->add({"XLEN", stream_});
  EXPECT_LE((*console_->expect())->next().number, 101U);
  EXPECT_EQ(read(1).front().offset, appended.front());
  const Result<Extent> extent = reader_->look();
  ASSERT_TRUE(extent);
  EXPECT_EQ(extent->last, Place(appended.front()));
}

TEST_F(RedisBroker, KeepsNotesInOrderBesideTheLog) {
  connect();
  EXPECT_EQ(*writer_->read_notes(), std::vector<std::string>{});
  std::vector<std::string> notes = numbers(1, 100);
  notes.push_back(std::string(std::size_t{2} << 20, 'n'));
  notes.push_back(std::string("a\0b\r\n", 5));
  for (const std::string& note : notes) ASSERT_TRUE(writer_->append_note(note));
  EXPECT_EQ(*writer_->read_notes(), notes);
  EXPECT_EQ(*writer_->end(), Place(Offset{}));
}

TEST_F(RedisBroker, BoundsNotesByTheirNumber) {
  use_own({"appendfsync=no"});
  connect();
  constexpr std::size_t kNotes = 20'500;
  for (std::size_t number = 1; number <= kNotes; ++number) ASSERT_TRUE(writer_->append_note(fmt::to_string(number)));
  const Result<std::vector<std::string>> notes = writer_->read_notes();
  ASSERT_TRUE(notes);
  EXPECT_GE(notes->size(), 20'000U);
  EXPECT_LT(notes->size(), 20'200U);
  EXPECT_EQ(notes->back(), fmt::to_string(kNotes));
  EXPECT_EQ(notes->front(), fmt::to_string(kNotes - notes->size() + 1));
}

TEST_F(RedisBroker, BoundsNotesByTheirBytes) {
  use_own({"appendonly=no"});
  connect();
  const std::string long_note(std::size_t{2} << 20, 'n');
  for (int count = 0; count < 70; ++count) ASSERT_TRUE(writer_->append_note(long_note));
  const Result<std::vector<std::string>> notes = writer_->read_notes();
  ASSERT_TRUE(notes);
  EXPECT_GE(notes->size(), 32U);
  EXPECT_LE(notes->size(), 32U + 16U);

  // A process that begins anew trims with its first note.
  open();
  connect();
  ASSERT_TRUE(writer_->append_note(long_note));
  EXPECT_EQ(writer_->read_notes()->size(), 32U);
}

// Where hiredis came with TLS it is used and the server must be the one of the URL; else it is refused in words.
TEST_F(RedisBroker, HasTlsOrSaysThatItHasNone) {
  const auto make = [&] { return make_redis_broker({.access = access_, .stream = stream_}); };
  access_.ca_file = "/ca.pem";
  EXPECT_EQ(make().error().kind, ErrorKind::invalid);
  access_ = {};
  access_.url = "rediss://127.0.0.1";
  if (!has_redis_tls()) {
    ASSERT_FALSE(make());
    EXPECT_EQ(make().error().kind, ErrorKind::invalid);
    EXPECT_NE(make().error().message.find("TLS"), std::string::npos);
    return;
  }
  BrokerProcess server("redis");
  ASSERT_TRUE(server.start({"tls=yes"}));
  access_.ca_file = server.said("ca");
  use(server);
  follow();
  append({"secured"});
  EXPECT_EQ(read_bytes(1), std::vector<std::string>{"secured"});

  const std::string url = access_.url;
  access_.url = "rediss://localhost" + url.substr(url.rfind(':'));
  open();
  EXPECT_EQ(reader_->connect().error().kind, ErrorKind::denied);
  access_.url = url;
  access_.ca_file.clear();
  open();
  EXPECT_EQ(reader_->connect().error().kind, ErrorKind::denied);
  access_.ca_file = "/nowhere.pem";
  open();
  EXPECT_EQ(reader_->connect().error().kind, ErrorKind::invalid);
}

}  // namespace
}  // namespace carillon::eventlog
