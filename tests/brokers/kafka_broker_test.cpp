#include "eventlog/kafka_broker.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "brokers/broker_process.hpp"
#include "brokers/expect_started.hpp"
#include "brokers/insist.hpp"
#include "eventlog/kafka_client.hpp"

namespace carillon::eventlog {
namespace {

using brokers::BrokerProcess;

constexpr std::size_t kMebi = std::size_t{1} << 20;

std::vector<Record> records(int first, int last, int keys = 7) {
  std::vector<Record> made;
  for (int i = first; i <= last; ++i) {
    made.push_back({.id = "id-" + std::to_string(i),
                    .bytes = "record " + std::to_string(i),
                    .key = "user" + std::to_string(i % keys)});
  }
  return made;
}

std::string random_bytes(std::size_t size) {
  std::mt19937 random(7);  // NOLINT(cert-msc51-cpp): the same each time
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

// Reads until so many records have come, or a gap or an error.
BrokerReader::Batch read(BrokerReader& reader, std::size_t count) {
  BrokerReader::Batch all;
  while (all.records.size() < count && !all.gap) {
    auto batch = reader.read(milliseconds(2000));
    EXPECT_TRUE(batch) << batch.error().message;
    if (!batch) break;
    if (batch->records.empty() && !batch->gap) break;
    std::ranges::move(batch->records, std::back_inserter(all.records));
    all.gap = batch->gap;
  }
  return all;
}

// Reads until there is a gap, for as long as no error comes.
std::optional<GapReason> gap_of(BrokerReader& reader) {
  while (true) {
    const auto batch = reader.read(milliseconds(1000));
    EXPECT_TRUE(batch) << batch.error().message;
    if (!batch || batch->gap) return batch ? batch->gap : std::nullopt;
  }
}

std::map<std::uint32_t, std::vector<BrokerRecord>> by_lane(const std::vector<BrokerRecord>& records) {
  std::map<std::uint32_t, std::vector<BrokerRecord>> lanes;
  for (const BrokerRecord& record : records) lanes[record.lane].push_back(record);
  return lanes;
}

template <class T>
ErrorKind kind_of(const Result<T>& result) {
  return result ? ErrorKind::internal : result.error().kind;
}

// One real Kafka for all of these tests, each with a topic of its own, of three partitions where we make it.
class KafkaBroker : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    server_ = std::make_unique<BrokerProcess>("kafka");
    started_ = server_->start({"num.partitions=3"});
  }
  static void TearDownTestSuite() { server_.reset(); }

  void SetUp() override {
    brokers::expect_started(started_);
    if (!started_) return;
    options_.access.url = server_->said("url");
    options_.topic = testing::UnitTest::GetInstance()->current_test_info()->name();
  }

  Broker& broker() {
    auto made = make_kafka_broker(options_);
    EXPECT_TRUE(made) << made.error().message;
    return *brokers_.emplace_back(std::move(*made));
  }
  std::unique_ptr<BrokerWriter> writer() {
    auto writer = broker().make_writer();
    const Result<> connected = insist([&] { return writer->connect(); });
    EXPECT_TRUE(connected) << connected.error().message;
    return writer;
  }
  std::unique_ptr<BrokerReader> reader(const Place& after = Place()) {
    auto reader = broker().make_reader();
    const auto connected = insist([&] { return reader->connect(); });
    EXPECT_TRUE(connected) << connected.error().message;
    const Result<> sought = reader->seek(after);
    EXPECT_TRUE(sought) << sought.error().message;
    return reader;
  }
  void ask(const std::string& verb, const std::vector<std::string>& arguments = {}, const std::string& input = {}) {
    std::vector<std::string> all{"--log", options_.topic};
    all.insert(all.end(), arguments.begin(), arguments.end());
    const Result<> done = server_->run(verb, all, input);
    ASSERT_TRUE(done) << done.error().message;
  }
  static void append(BrokerWriter& writer, const std::vector<Record>& records) {
    const auto stood = writer.append(records);
    ASSERT_TRUE(stood) << stood.error().message;
  }

  static std::unique_ptr<BrokerProcess> server_;
  static Result<> started_;
  KafkaOptions options_;
  std::vector<std::unique_ptr<Broker>> brokers_;
};

std::unique_ptr<BrokerProcess> KafkaBroker::server_;
Result<> KafkaBroker::started_;

TEST_F(KafkaBroker, ReadsWhatWasAppendedInTheOrderOfEachLane) {
  const WallTime before = SystemClock().wall_now();
  const auto sent = records(1, 500);
  const auto stood = writer()->append(sent);
  ASSERT_TRUE(stood) << stood.error().message;
  const auto from = reader();
  const auto read_back = read(*from, sent.size());
  ASSERT_EQ(read_back.records.size(), sent.size());

  const auto lanes = by_lane(read_back.records);
  EXPECT_EQ(lanes.size(), 3U);
  for (const auto& [lane, records] : lanes) {
    for (std::size_t i = 0; i < records.size(); ++i) {
      EXPECT_EQ(records[i].offset, Offset{i + 1});
      EXPECT_GE(records[i].logged_at, before);
    }
  }
  std::array<std::size_t, 3> passed{};
  for (std::size_t i = 0; i < sent.size(); ++i) {
    const BrokerWriter::Stood& at = (*stood)[i];
    EXPECT_EQ(at.offset, Offset{++passed.at(at.lane)});
    const BrokerRecord& record = lanes.at(at.lane)[passed.at(at.lane) - 1];
    EXPECT_EQ(record.id, sent[i].id);
    EXPECT_EQ(record.bytes, sent[i].bytes);
  }
  const auto extent = from->look();
  ASSERT_TRUE(extent) << extent.error().message;
  EXPECT_EQ(extent->added, sent.size());
  EXPECT_EQ(extent->before_first, Place());
  EXPECT_EQ(extent->last, Place(std::vector<Offset>{{passed[0]}, {passed[1]}, {passed[2]}}));
  EXPECT_EQ(writer()->end().value(), extent->last);
}

TEST_F(KafkaBroker, GoesOnAfterAnyPlace) {
  append(*writer(), records(1, 100));
  const auto all = by_lane(read(*reader(), 100).records);
  const Place after(std::vector<Offset>{{all.at(0).size() / 2}, {0}, {all.at(2).size()}});
  const std::size_t rest = all.at(0).size() - all.at(0).size() / 2 + all.at(1).size();
  const auto lanes = by_lane(read(*reader(after), rest).records);
  EXPECT_EQ(lanes.at(0).size(), all.at(0).size() - all.at(0).size() / 2);
  EXPECT_EQ(lanes.at(0).front().offset, Offset{all.at(0).size() / 2 + 1});
  EXPECT_EQ(lanes.at(1).size(), all.at(1).size());
  EXPECT_FALSE(lanes.contains(2));
}

TEST_F(KafkaBroker, ReadsWhatComesWhileItWaits) {
  const auto to = writer();
  const auto from = reader();
  for (int i = 1; i <= 20; ++i) {
    append(*to, records(i, i));
    const auto batch = read(*from, 1);
    ASSERT_EQ(batch.records.size(), 1U);
    EXPECT_EQ(batch.records[0].bytes, "record " + std::to_string(i));
  }
}

// The hashes are those of the tests of Kafka's own client.
TEST_F(KafkaBroker, KeysChooseThePartitionThatTheJavaClientChooses) {
  const std::vector<std::pair<std::string, std::int32_t>> keys{{"21", -973932308},
                                                               {"foobar", -790332482},
                                                               {"a-little-bit-long-string", -985981536},
                                                               {"a-little-bit-longer-string", -1486304829},
                                                               {"abc", 479470107}};
  std::vector<Record> sent;
  for (const auto& [key, hash] : keys) sent.push_back({.id = key, .bytes = "x", .key = key});
  const auto stood = writer()->append(sent);
  ASSERT_TRUE(stood) << stood.error().message;
  for (std::size_t i = 0; i < keys.size(); ++i)
    EXPECT_EQ((*stood)[i].lane, (static_cast<std::uint32_t>(keys[i].second) & 0x7FFFFFFFU) % 3) << keys[i].first;
}

TEST_F(KafkaBroker, HistoryOfSeveralLanesComesInTheOrderOfTime) {
  const auto to = writer();
  for (int i = 0; i < 60; ++i) append(*to, records(i * 100 + 1, i * 100 + 100, 50));
  const auto all = read(*reader(), 6000);
  ASSERT_EQ(all.records.size(), 6000U);
  EXPECT_TRUE(std::ranges::is_sorted(all.records, {}, &BrokerRecord::logged_at));
}

TEST_F(KafkaBroker, TakesRecordsOfOneMebibyteAndBytesAsTheyAre) {
  std::vector<Record> sent{{.id = "whole", .bytes = random_bytes(kMebi), .key = std::string(200, 'k')},
                           {.id = "zero", .bytes = std::string("\0\r\n\xff\0", 5), .key = "k"}};
  append(*writer(), sent);
  auto read_back = read(*reader(), 2).records;
  ASSERT_EQ(read_back.size(), 2U);
  std::ranges::sort(read_back, {}, &BrokerRecord::id);
  EXPECT_TRUE(read_back[0].bytes == sent[0].bytes);
  EXPECT_EQ(read_back[1].bytes, sent[1].bytes);
}

TEST_F(KafkaBroker, RefusesARecordThatTheTopicDoesNotTakeAndKeepsNoneOfItsCall) {
  ask("make", {"--to", "1"});
  const auto to = writer();
  const auto warnings = to->warnings();
  EXPECT_TRUE(std::ranges::any_of(
      warnings, [](const std::string& text) { return text.find("max.message.bytes=1048588") != std::string::npos; }));
  auto sent = records(1, 3);
  sent.push_back({.id = "large", .bytes = random_bytes(kMebi), .key = "k"});
  const auto stood = to->append(sent);
  ASSERT_FALSE(stood);
  EXPECT_EQ(stood.error().kind, ErrorKind::invalid);
  EXPECT_NE(stood.error().message.find("1048576 bytes"), std::string::npos) << stood.error().message;
  EXPECT_EQ(writer()->end().value(), Place());
}

TEST_F(KafkaBroker, ForeignRecordsComeWithoutIdAndEmptyWhereTheyHaveNoValue) {
  ask("put", {}, "somebody else's");
  ask("put");
  const auto batch = read(*reader(), 2);
  ASSERT_EQ(batch.records.size(), 2U);
  EXPECT_EQ(batch.records[0].bytes, "somebody else's");
  EXPECT_EQ(batch.records[0].id, "");
  EXPECT_EQ(batch.records[1].bytes, "");
  EXPECT_EQ(batch.records[1].offset, Offset{2});
}

TEST_F(KafkaBroker, FindsThePlaceOfATime) {
  const auto to = writer();
  append(*to, records(1, 50));
  const auto old = read(*reader(), 50);
  const WallTime latest = std::ranges::max(old.records, {}, &BrokerRecord::logged_at).logged_at;
  while (SystemClock().wall_now() <= latest) {
  }
  append(*to, records(51, 80));
  const auto from = reader();
  const auto place = from->place_at(latest + milliseconds(1));
  ASSERT_TRUE(place) << place.error().message;
  const auto young = read(*reader(*place), 30);
  EXPECT_EQ(young.records.size(), 30U);
  EXPECT_EQ(from->place_at(WallTime{}).value(), Place());
  EXPECT_EQ(from->place_at(SystemClock().wall_now() + std::chrono::hours(1)).value(), from->look()->last);
}

TEST_F(KafkaBroker, SaysThatWhatItWantsIsTrimmed) {
  const auto to = writer();
  append(*to, records(1, 100));
  ask("trim", {"--keep", "5"});
  auto from = broker().make_reader();
  const auto extent = from->connect();
  ASSERT_TRUE(extent) << extent.error().message;
  ASSERT_EQ(extent->before_first.lanes(), 3U);
  EXPECT_GT(extent->before_first.at(0), Offset{0});
  ASSERT_TRUE(from->seek(extent->before_first));
  EXPECT_EQ(read(*from, 15).records.size(), 15U);
  EXPECT_EQ(gap_of(*reader(Place(std::vector<Offset>{{1}, {1}, {1}}))), GapReason::trimmed);
}

TEST_F(KafkaBroker, MakesATopicThatKeepsRecordsForAsLongAsItIsTold) {
  options_.access.retention = std::chrono::hours{48};
  writer();
  const auto client = KafkaClient::make(options_, KafkaClient::Role::reader);
  ASSERT_TRUE(client) << client.error().message;
  const auto settings = (*client)->settings(options_.topic);
  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_EQ(settings->at("retention.ms"), std::to_string(milliseconds(std::chrono::hours{48}).count()));
}

TEST_F(KafkaBroker, SaysThatTheTopicWasMadeAnewWhenItIsShorter) {
  append(*writer(), records(1, 100));
  const auto from = reader();
  read(*from, 100);
  ask("recreate");
  EXPECT_EQ(gap_of(*from), GapReason::epoch);
}

TEST_F(KafkaBroker, NoticesATopicMadeAnewThatHasGrownBeyondTheOldOne) {
  auto to = writer();
  for (int i = 1; i <= 30; ++i) append(*to, records(i, i));
  const auto from = reader();
  const auto following = reader();
  const auto old = read(*from, 30).records;
  read(*following, 30);
  ASSERT_NE(old.front().logged_at, old.back().logged_at);
  ASSERT_TRUE(from->look());
  ASSERT_TRUE(following->look());
  ask("recreate");
  to = writer();
  append(*to, records(1, 300));
  // One that was away meanwhile, and one that was there all the time.
  ASSERT_TRUE(from->connect());
  const auto place = from->look()->before_first;
  ASSERT_TRUE(from->seek(place));
  EXPECT_EQ(gap_of(*from), GapReason::epoch);
  (void)following->look();
  EXPECT_EQ(gap_of(*following), GapReason::epoch);
}

TEST_F(KafkaBroker, FollowsPartitionsThatAreAdded) {
  ask("make", {"--to", "1"});
  append(*writer(), records(1, 10));
  const auto from = reader();
  EXPECT_EQ(read(*from, 10).records.size(), 10U);
  ask("grow", {"--to", "4"});
  append(*writer(), records(11, 110));
  const auto extent = from->look();
  ASSERT_TRUE(extent) << extent.error().message;
  EXPECT_EQ(extent->last.lanes(), 4U);
  const auto more = read(*from, 100);
  EXPECT_EQ(more.records.size(), 100U);
  EXPECT_EQ(by_lane(more.records).size(), 4U);
}

TEST_F(KafkaBroker, RefusesMorePartitionsThanAPositionHolds) {
  ask("make", {"--to", "33"});
  const auto extent = broker().make_reader()->connect();
  ASSERT_FALSE(extent);
  EXPECT_EQ(extent.error().kind, ErrorKind::invalid);
  EXPECT_NE(extent.error().message.find("33 partitions"), std::string::npos) << extent.error().message;
}

TEST_F(KafkaBroker, MakesNoTopicWhereItMayNot) {
  options_.access.may_create = false;
  const auto extent = broker().make_reader()->connect();
  ASSERT_FALSE(extent);
  EXPECT_EQ(extent.error().kind, ErrorKind::not_found);
  EXPECT_NE(extent.error().message.find("topic MakesNoTopicWhereItMayNot"), std::string::npos);
  EXPECT_EQ(kind_of(broker().make_writer()->connect()), ErrorKind::not_found);
}

TEST_F(KafkaBroker, NotesOutliveTheirWriterInOrder) {
  const std::vector<std::string> notes{"one", random_bytes(2 * kMebi), "three"};
  {
    const auto to = writer();
    EXPECT_TRUE(to->read_notes().value().empty());
    for (const std::string& note : notes) ASSERT_TRUE(to->append_note(note));
  }
  EXPECT_TRUE(writer()->read_notes().value() == notes);
}

TEST_F(KafkaBroker, WarnsOfWhatMakesAnAcknowledgementWeak) {
  const auto warnings = writer()->warnings();
  ASSERT_EQ(warnings.size(), 2U);
  EXPECT_NE(warnings[0].find("one replica"), std::string::npos);
  EXPECT_NE(warnings[1].find("flush.messages"), std::string::npos);
}

TEST_F(KafkaBroker, ABrokerThatDoesNotAnswerIsUnavailableUntilItDoes) {
  options_.access.timeout = milliseconds(1000);
  const auto to = writer();
  const auto from = reader();
  ASSERT_TRUE(server_->pause());
  EXPECT_EQ(kind_of(to->append(records(1, 1))), ErrorKind::unavailable);
  EXPECT_EQ(kind_of(to->connect()), ErrorKind::unavailable);
  EXPECT_EQ(kind_of(from->look()), ErrorKind::unavailable);
  ASSERT_TRUE(server_->resume());
  const auto appended = insist([&] {
    const Result<> connected = to->connect();
    return connected ? to->append(records(2, 2)) : std::unexpected(connected.error());
  });
  ASSERT_TRUE(appended) << appended.error().message;
  const auto extent = insist([&] { return from->connect(); });
  ASSERT_TRUE(extent) << extent.error().message;
  ASSERT_TRUE(from->seek(Place()));
  // The first may have come through or not.
  const auto all = read(*from, extent->added).records;
  EXPECT_TRUE(std::ranges::any_of(all, [](const BrokerRecord& record) { return record.id == "id-2"; }));
}

TEST_F(KafkaBroker, NothingAcknowledgedIsLostWithAKilledBroker) {
  const auto to = writer();
  const auto from = reader();
  append(*to, records(1, 1000));
  ASSERT_TRUE(server_->kill());
  Result<BrokerReader::Batch> batch;
  while (batch) batch = from->read(milliseconds(1000));
  EXPECT_EQ(batch.error().kind, ErrorKind::unavailable);
  const auto unknown = to->append(records(1001, 1001));
  EXPECT_EQ(kind_of(unknown), ErrorKind::unavailable);
  ASSERT_TRUE(server_->start());
  // It leads its partitions a moment after it is back.
  ASSERT_TRUE(insist([&] { return to->connect(); }));
  append(*to, records(1002, 1002));
  const auto extent = insist([&] { return from->connect(); });
  ASSERT_TRUE(extent) << extent.error().message;
  ASSERT_TRUE(from->seek(Place()));
  const auto all = read(*from, 1001);
  ASSERT_EQ(all.records.size(), 1001U);
  std::vector<std::string> ids;
  for (const BrokerRecord& record : all.records) ids.push_back(record.id);
  std::ranges::sort(ids);
  EXPECT_EQ(std::ranges::unique(ids).begin(), ids.end());
}

KafkaOptions options_for(std::string url) {
  KafkaOptions options;
  options.access.url = std::move(url);
  options.topic = "carillon.events";
  return options;
}

TEST(KafkaBrokerOptions, WrongOnesAreToldBeforeAnyConnection) {
  const auto kind = [](const KafkaOptions& options) { return kind_of(make_kafka_broker(options)); };
  const KafkaOptions right = options_for("one:9092,[::1]:9093");
  ASSERT_TRUE(make_kafka_broker(right));
  EXPECT_EQ(make_kafka_broker(right).value()->name(), "Kafka at one:9092,[::1]:9093, topic carillon.events");
  for (const char* url : {"", "one", "one:", ":9092", "kafka://one:9092", "one:9092,"}) {
    KafkaOptions wrong = right;
    wrong.access.url = url;
    EXPECT_EQ(kind(wrong), ErrorKind::invalid) << url;
  }
  KafkaOptions wrong = right;
  wrong.topic = "a topic";
  EXPECT_EQ(kind(wrong), ErrorKind::invalid);
  wrong = right;
  wrong.access.username = "carillon";
  wrong.access.password = "secret";
  EXPECT_EQ(kind(wrong), ErrorKind::invalid);
  wrong.sasl_mechanism = "GSSAPI";
  EXPECT_EQ(kind(wrong), ErrorKind::invalid);
}

TEST(KafkaBrokerOptions, NobodyThereIsUnavailable) {
  KafkaOptions options = options_for("127.0.0.1:1");
  options.access.timeout = milliseconds(1000);
  const auto broker = make_kafka_broker(options).value();
  const auto extent = broker->make_reader()->connect();
  ASSERT_FALSE(extent);
  EXPECT_EQ(extent.error().kind, ErrorKind::unavailable);
  EXPECT_NE(extent.error().message.find("127.0.0.1:1"), std::string::npos);
}

TEST(KafkaBrokerLogin, LetsInWhoHasThePasswordAndKnowsTheCertificate) {
  BrokerProcess server("kafka");
  const Result<> started = server.start({"password=open sesame", "tls=yes"});
  brokers::expect_started(started);
  if (!started) return;
  KafkaOptions right = options_for(server.said("url"));
  right.access.username = "carillon";
  right.access.password = "open sesame";
  right.access.ca_file = server.said("ca");
  right.uses_tls = true;
  right.sasl_mechanism = "PLAIN";
  const auto connect = [](const KafkaOptions& options) {
    return make_kafka_broker(options).value()->make_writer()->connect();
  };
  const Result<> connected = connect(right);
  EXPECT_TRUE(connected) << connected.error().message;

  KafkaOptions wrong = right;
  wrong.access.password = "open barley";
  auto refused = connect(wrong);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::denied);
  EXPECT_EQ(refused.error().message.find("open"), std::string::npos) << refused.error().message;

  wrong = right;
  wrong.access.ca_file.clear();
  refused = connect(wrong);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::invalid);
  EXPECT_NE(refused.error().message.find("certificate"), std::string::npos) << refused.error().message;

  wrong.access.ca_file = "/nowhere/ca.pem";
  EXPECT_EQ(kind_of(connect(wrong)), ErrorKind::invalid);

  wrong = right;
  wrong.uses_tls = false;
  wrong.access.timeout = milliseconds(1000);
  EXPECT_EQ(kind_of(connect(wrong)), ErrorKind::unavailable);
}

}  // namespace
}  // namespace carillon::eventlog
