#include "eventlog/redis_broker.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "brokers/broker_process.hpp"
#include "eventlog/redis_connection.hpp"

namespace carillon::eventlog {
namespace {

using brokers::BrokerProcess;
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
    if (!started_ && started_.error().kind == ErrorKind::not_found) GTEST_SKIP() << started_.error().message;
    ASSERT_TRUE(started_) << started_.error().message;
    stream_ = fmt::format("events:{}", testing::UnitTest::GetInstance()->current_test_info()->name());
    use(*server_);
  }

  // The tests go on with another server.
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
    const Result<Extent> extent = reader_->connect();
    ASSERT_TRUE(extent) << extent.error().message;
    const Result<> writer = writer_->connect();
    ASSERT_TRUE(writer) << writer.error().message;
    (void)console_->connect();
  }
  // Connects and follows from the beginning.
  void follow() {
    connect();
    ASSERT_TRUE(reader_->seek(Place(Offset{})));
  }

  // What an administrator types.
  std::string redis(std::initializer_list<std::string_view> words) {
    const Result<RedisReply*> reply = console_->call(words);
    EXPECT_TRUE(reply) << reply.error().message;
    return reply ? std::string((*reply)->next().text) : std::string();
  }
  std::vector<Offset> append(const std::vector<std::string>& texts) {
    std::vector<Record> records;
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

}  // namespace
}  // namespace carillon::eventlog
