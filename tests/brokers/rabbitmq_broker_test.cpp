#include "eventlog/rabbitmq_broker.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "brokers/broker_process.hpp"
#include "brokers/expect_started.hpp"
#include "brokers/insist.hpp"
#include "eventlog/rabbitmq_connection.hpp"

namespace carillon::eventlog {
namespace {

using brokers::BrokerProcess;

// For what comes on a machine that is busy.
constexpr milliseconds kPatience{20'000};

std::vector<Record> numbered(int from, int to, std::size_t size = 100) {
  std::vector<Record> records;
  for (int i = from; i < to; ++i) {
    std::string bytes = std::to_string(i);
    bytes.resize(std::max(bytes.size(), size), '.');
    records.push_back({.id = "id-" + std::to_string(i), .bytes = std::move(bytes), .key = {}});
  }
  return records;
}

std::vector<std::string> ids_of(const std::vector<Record>& records) {
  std::vector<std::string> ids;
  for (const Record& record : records) ids.push_back(record.id);
  return ids;
}

// One queue, with what reads and writes it.
struct Log {
  explicit Log(const RabbitmqOptions& options) : name(options.queue), broker(*make_rabbitmq_broker(options)) {
    reader = broker->make_reader();
    writer = broker->make_writer();
  }

  Extent open() {
    const Result<Extent> extent = insist([&] { return reader->connect(); });
    EXPECT_TRUE(extent) << extent.error().message;
    const Result<> ready = insist([&] { return writer->connect(); });
    EXPECT_TRUE(ready) << ready.error().message;
    return extent.value_or(Extent{});
  }
  void append(const std::vector<Record>& records) {
    const auto stood = writer->append(records);
    ASSERT_TRUE(stood) << stood.error().message;
    EXPECT_EQ(stood->size(), records.size());
  }
  void seek(const Place& after) {
    const Result<> sought = reader->seek(after);
    ASSERT_TRUE(sought) << sought.error().message;
  }
  // So many records, or what comes before a gap or a silence.
  std::vector<BrokerRecord> read(std::size_t count) {
    std::vector<BrokerRecord> records;
    gap.reset();
    while (records.size() < count && !gap) {
      Result<BrokerReader::Batch> batch = reader->read(kPatience);
      EXPECT_TRUE(batch) << batch.error().message;
      if (!batch || (batch->records.empty() && !batch->gap)) break;
      for (BrokerRecord& record : batch->records) records.push_back(std::move(record));
      gap = batch->gap;
    }
    return records;
  }
  std::vector<std::string> read_ids(std::size_t count) {
    std::vector<std::string> ids;
    for (const BrokerRecord& record : read(count)) ids.push_back(record.id);
    return ids;
  }
  // What the reader says when it has missed something; reads of a consumer that is being moved may be empty before.
  std::optional<GapReason> wait_for_gap() {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (std::chrono::steady_clock::now() < deadline) {
      const Result<BrokerReader::Batch> batch = reader->read(milliseconds{100});
      EXPECT_TRUE(batch) << batch.error().message;
      if (!batch || batch->gap) return batch ? batch->gap : std::nullopt;
    }
    return std::nullopt;
  }

  std::string name;
  std::unique_ptr<Broker> broker;
  std::unique_ptr<BrokerReader> reader;
  std::unique_ptr<BrokerWriter> writer;
  std::optional<GapReason> gap;
};

// One server for all tests, each with a queue of its own: a start takes seconds.
class RabbitmqBrokerTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    server_ = std::make_unique<BrokerProcess>("rabbitmq");
    started_ = server_->start();
  }
  static void TearDownTestSuite() { server_.reset(); }
  void SetUp() override { brokers::expect_started(started_); }

  static RabbitmqOptions options() {
    RabbitmqOptions options;
    options.access.url = server_->said("url");
    options.access.timeout = kPatience;
    options.queue = testing::UnitTest::GetInstance()->current_test_info()->name();
    return options;
  }

  static inline std::unique_ptr<BrokerProcess> server_;
  static inline Result<> started_;
};

TEST_F(RabbitmqBrokerTest, HandsOverInOrderWhatWasAppended) {
  Log log(options());
  const Extent empty = log.open();
  EXPECT_EQ(empty.before_first, Place());
  EXPECT_EQ(empty.last, Place());
  log.seek(Place());
  log.append(numbered(0, 3000));
  const auto records = log.read(3000);
  ASSERT_EQ(records.size(), 3000U);
  for (std::size_t i = 0; i < records.size(); ++i) {
    EXPECT_EQ(records[i].id, "id-" + std::to_string(i));
    if (i > 0) EXPECT_LT(records[i - 1].offset, records[i].offset);
  }
  const Result<Extent> extent = log.reader->look();
  ASSERT_TRUE(extent) << extent.error().message;
  EXPECT_EQ(extent->before_first, Place());
  EXPECT_EQ(extent->last, Place(records.back().offset));
  const Result<Place> end = log.writer->end();
  ASSERT_TRUE(end) << end.error().message;
  EXPECT_EQ(*end, extent->last);
}

TEST_F(RabbitmqBrokerTest, GoesOnAfterAnyPlace) {
  Log log(options());
  log.open();
  log.append(numbered(0, 600));
  log.seek(Place());
  const auto all = log.read(600);
  ASSERT_EQ(all.size(), 600U);
  for (const std::size_t at : {0U, 1U, 299U, 300U, 598U}) {
    log.seek(Place(all[at].offset));
    const auto ids = log.read_ids(599 - at);
    ASSERT_EQ(ids.size(), 599 - at);
    EXPECT_EQ(ids.front(), all[at + 1].id);
    EXPECT_EQ(ids.back(), all.back().id);
  }
  log.seek(Place(all.back().offset));
  log.append(numbered(600, 601));
  EXPECT_EQ(log.read_ids(1), ids_of(numbered(600, 601)));
}

TEST_F(RabbitmqBrokerTest, TakesRecordsOfAnyBytesAndLength) {
  Log log(options());
  log.open();
  log.seek(Place());
  std::string bytes(std::size_t{1} << 20, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 31 + (i >> 8));
  log.append({{.id = "long", .bytes = bytes, .key = {}}, {.id = "short", .bytes = "x", .key = {}}});
  const auto records = log.read(2);
  ASSERT_EQ(records.size(), 2U);
  EXPECT_TRUE(records[0].bytes == bytes);
  EXPECT_EQ(records[1].bytes, "x");
}

TEST_F(RabbitmqBrokerTest, HandsOverForeignRecordsAsTheyAre) {
  Log log(options());
  log.open();
  log.seek(Place());
  ASSERT_TRUE(server_->put(log.name, "not \xff json"));
  ASSERT_TRUE(server_->put(log.name, ""));
  const auto records = log.read(2);
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].bytes, "not \xff json");
  EXPECT_EQ(records[0].id, "");
  EXPECT_EQ(records[1].bytes, "");
}

TEST_F(RabbitmqBrokerTest, ReadsTheSameTimeFromARecordEachTime) {
  Log log(options());
  log.open();
  const WallTime before = SystemClock().wall_now();
  log.append(numbered(0, 1));
  const WallTime after = SystemClock().wall_now();
  log.seek(Place());
  const auto first = log.read(1);
  log.seek(Place());
  const auto again = log.read(1);
  ASSERT_EQ(first.size(), 1U);
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(first[0].logged_at, again[0].logged_at);
  EXPECT_GE(first[0].logged_at, before);
  EXPECT_LE(first[0].logged_at, after);
}

TEST_F(RabbitmqBrokerTest, KnowsWhereItStoodAtATime) {
  Log log(options());
  log.open();
  const Result<Place> in_nothing = log.reader->place_at(SystemClock().wall_now());
  ASSERT_TRUE(in_nothing) << in_nothing.error().message;
  EXPECT_EQ(*in_nothing, Place());
  const WallTime now = SystemClock().wall_now();
  log.append(numbered(0, 10));
  const Result<Place> before = log.reader->place_at(now - std::chrono::hours{1});
  const Result<Place> later = log.reader->place_at(now + std::chrono::hours{1});
  const Result<Extent> extent = log.reader->look();
  ASSERT_TRUE(before && later && extent);
  EXPECT_EQ(*before, Place());
  EXPECT_EQ(*later, extent->last);
}

TEST_F(RabbitmqBrokerTest, SaysThatWhatItWasToReadIsTrimmed) {
  Log log(options());
  log.open();
  for (int i = 0; i < 1000; i += 20) log.append(numbered(i, i + 20));
  log.seek(Place());
  const auto some = log.read(1);
  ASSERT_FALSE(some.empty());
  ASSERT_TRUE(server_->trim(log.name, 100));
  const Result<Extent> extent = log.reader->connect();
  ASSERT_TRUE(extent) << extent.error().message;
  EXPECT_FALSE(Place(some.back().offset).covers(extent->before_first));
  log.seek(Place(some.back().offset));
  log.read(1000);
  EXPECT_EQ(log.gap, GapReason::trimmed);
  log.seek(extent->before_first);
  const auto left = log.read_ids(1);
  ASSERT_FALSE(left.empty());
  EXPECT_FALSE(log.gap);
}

TEST_F(RabbitmqBrokerTest, SaysThatTheLogWasMadeAnewWhileItFollowed) {
  RabbitmqOptions hasty = options();
  hasty.access.timeout = milliseconds{3000};  // so long is an empty stream doubted that had records
  Log log(hasty);
  log.open();
  log.append(numbered(0, 50));
  log.seek(Place());
  ASSERT_EQ(log.read(50).size(), 50U);
  ASSERT_TRUE(server_->recreate(log.name));
  EXPECT_EQ(log.wait_for_gap(), GapReason::epoch);
}

TEST_F(RabbitmqBrokerTest, TellsALogMadeAnewFromTheOneThatItReadAlthoughItIsAsLong) {
  Log log(options());
  log.open();
  log.append(numbered(0, 10));
  log.seek(Place());
  const auto read = log.read(10);
  ASSERT_EQ(read.size(), 10U);
  ASSERT_TRUE(server_->recreate(log.name));
  ASSERT_TRUE(log.writer->connect());
  log.append(numbered(100, 200));
  ASSERT_TRUE(log.reader->connect());
  log.seek(Place(read.back().offset));
  EXPECT_TRUE(log.read(1).empty());
  EXPECT_EQ(log.gap, GapReason::epoch);
}

// The server takes a declaration of what is there only with the arguments that it was made with.
TEST_F(RabbitmqBrokerTest, MakesAStreamThatKeepsRecordsForAsLongAsItIsTold) {
  RabbitmqOptions told = options();
  told.access.retention = std::chrono::hours{48};
  Log log(told);
  log.open();
  auto address = parse_rabbitmq_url(told.access.url);
  ASSERT_TRUE(address) << address.error().message;
  for (const int hours : {48, 24}) {
    RabbitmqConnection connection(*address, told.access);
    ASSERT_TRUE(connection.connect());
    const Result<> declared = connection.declare_stream(told.queue, {.age = std::chrono::hours{hours}});
    EXPECT_EQ(declared.has_value(), hours == 48) << (declared ? "" : declared.error().message);
  }
}

TEST_F(RabbitmqBrokerTest, KeepsNotes) {
  Log log(options());
  log.open();
  EXPECT_EQ(log.writer->read_notes().value_or(std::vector<std::string>{"?"}), std::vector<std::string>());
  const std::vector<std::string> notes{"first", std::string(std::size_t{2} << 20, 'n'), "last"};
  for (const std::string& note : notes) ASSERT_TRUE(log.writer->append_note(note));
  const auto read = log.writer->read_notes();
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_TRUE(*read == notes);
  EXPECT_EQ(log.writer->end().value_or(Place(Offset{.high = 1, .low = 0})), Place());
}

TEST_F(RabbitmqBrokerTest, RefusesWhatDoesNotFit) {
  RabbitmqOptions wrong = options();
  wrong.access.may_create = false;
  EXPECT_EQ(Log(wrong).reader->connect().error().kind, ErrorKind::not_found);
  wrong.queue = "classic";  // which the script makes with the server
  const Result<Extent> classic = Log(wrong).reader->connect();
  ASSERT_FALSE(classic);
  EXPECT_EQ(classic.error().kind, ErrorKind::invalid);
  EXPECT_NE(classic.error().message.find("is no stream"), std::string::npos) << classic.error().message;
}

TEST_F(RabbitmqBrokerTest, SaysWhatIsWrongWithItsAccess) {
  RabbitmqOptions wrong = options();
  wrong.access.password = "wrong";
  const Result<Extent> refused = Log(wrong).reader->connect();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::denied);
  EXPECT_NE(refused.error().message.find("ACCESS_REFUSED"), std::string::npos) << refused.error().message;
  wrong = options();
  wrong.access.url += "nowhere";
  EXPECT_EQ(Log(wrong).reader->connect().error().kind, ErrorKind::invalid);
  wrong.access.url = "amqp://127.0.0.1:1/";
  EXPECT_EQ(Log(wrong).reader->connect().error().kind, ErrorKind::unavailable);
}

TEST_F(RabbitmqBrokerTest, SaysInTimeThatTheServerDoesNotAnswer) {
  RabbitmqOptions hasty = options();
  hasty.access.timeout = milliseconds{1000};
  Log log(hasty);
  log.open();
  ASSERT_TRUE(server_->pause());
  const auto stood = log.writer->append(numbered(1, 5, std::size_t{1} << 20));
  const Result<Extent> looked = log.reader->look();
  const Result<> connected = log.writer->connect();
  ASSERT_TRUE(server_->resume());
  ASSERT_FALSE(stood);
  EXPECT_EQ(stood.error().kind, ErrorKind::unavailable);
  ASSERT_FALSE(looked);
  EXPECT_EQ(looked.error().kind, ErrorKind::unavailable);
  ASSERT_FALSE(connected);
  EXPECT_EQ(connected.error().kind, ErrorKind::unavailable);
}

TEST_F(RabbitmqBrokerTest, LosesNothingThatWasAcknowledgedWhenTheServerIsKilled) {
  Log log(options());
  log.open();
  log.append(numbered(0, 2000));
  log.seek(Place());
  const auto some = log.read(1);
  ASSERT_FALSE(some.empty());
  ASSERT_TRUE(server_->kill());
  EXPECT_EQ(log.writer->append(numbered(2000, 2001)).error().kind, ErrorKind::unavailable);
  EXPECT_EQ(log.reader->look().error().kind, ErrorKind::unavailable);
  ASSERT_TRUE(server_->start());
  log.open();
  log.seek(Place(some.back().offset));
  EXPECT_EQ(log.read(2000 - some.size()).size(), 2000 - some.size());
  EXPECT_FALSE(log.gap);
}

TEST_F(RabbitmqBrokerTest, IsFullWhileTheServerHasNoMemory) {
  ASSERT_TRUE(server_->stop());
  ASSERT_TRUE(server_->start({"vm_memory_high_watermark.absolute=1000000"}));
  Log log(options());
  log.open();
  const auto stood = log.writer->append(numbered(0, 10, std::size_t{1} << 20));
  ASSERT_FALSE(stood);
  EXPECT_EQ(stood.error().kind, ErrorKind::full);
  EXPECT_NE(stood.error().message.find("memory"), std::string::npos) << stood.error().message;
}

TEST_F(RabbitmqBrokerTest, SpeaksTlsWithWhomItTrusts) {
  BrokerProcess server("rabbitmq");
  const Result<> started = server.start({"tls=yes", "password=secret", "client_certificate=yes"});
  ASSERT_TRUE(started) << started.error().message;
  RabbitmqOptions trusting = options();
  trusting.access.url = server.said("url");
  trusting.access.password = "secret";
  trusting.access.ca_file = server.said("ca");
  trusting.access.certificate = server.said("certificate");
  trusting.access.private_key = server.said("private_key");
  Log log(trusting);
  log.open();
  log.append(numbered(0, 10, std::size_t{300'000}));
  log.seek(Place());
  EXPECT_EQ(log.read(10).size(), 10U);

  RabbitmqOptions wrong = trusting;
  wrong.access.ca_file.clear();
  EXPECT_EQ(Log(wrong).reader->connect().error().kind, ErrorKind::denied);
  wrong = trusting;
  wrong.access.url.replace(wrong.access.url.find("localhost"), 9, "127.0.0.1");
  const Result<Extent> misnamed = Log(wrong).reader->connect();
  ASSERT_FALSE(misnamed);
  EXPECT_EQ(misnamed.error().kind, ErrorKind::denied);
  EXPECT_NE(misnamed.error().message.find("host name"), std::string::npos) << misnamed.error().message;
}

TEST(RabbitmqUrl, KeepsSecretsOutOfUrls) {
  RabbitmqOptions options;
  options.queue = "q";
  for (const char* url : {"amqp://user:secret@host/", "http://host/", "amqp://", "amqp://host:0/", "amqp://host/a/b"}) {
    options.access.url = url;
    const auto made = make_rabbitmq_broker(options);
    ASSERT_FALSE(made) << url;
    EXPECT_EQ(made.error().kind, ErrorKind::invalid);
    EXPECT_EQ(made.error().message.find("secret"), std::string::npos);
  }
  options.access.url = "amqps://user@[::1]/%2F";
  const auto made = make_rabbitmq_broker(options);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ((*made)->name(), "RabbitMQ at [::1]:5671, queue q");
}

}  // namespace
}  // namespace carillon::eventlog
