#include "eventlog/jetstream_broker.hpp"

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

namespace carillon::eventlog {
namespace {

using brokers::BrokerProcess;

// A real nats-server, and what a node makes of it.
class JetstreamBroker : public testing::Test {
 protected:
  void start(const std::vector<std::string>& settings = {}) {
    const Result<> started = server_.start(settings);
    brokers::expect_started(started);
    if (!started) return;
    options_.access.url = server_.said("url");
    options_.access.ca_file = server_.said("ca");
    options_.stream = "CARILLON";
    options_.subject = "carillon.events";
  }

  // Makes the stream as its operator would, rather than we.
  void make_stream(const std::string& more, const std::string& subjects = R"("carillon.events")") {
    const Result<> made = server_.run(
        "api", {"STREAM.CREATE.CARILLON", R"({"name":"CARILLON","max_consumers":-1,"num_replicas":1,"subjects":[)" +
                                              subjects + "]," + more + "}"});
    ASSERT_TRUE(made) << made.error().message;
  }

  Broker& broker() {
    brokers_.push_back(std::move(make_jetstream_broker(options_)).value());
    return *brokers_.back();
  }

  std::unique_ptr<BrokerWriter> writer() {
    auto writer = broker().make_writer();
    const Result<> connected = insist([&] { return writer->connect(); });
    EXPECT_TRUE(connected) << connected.error().message;
    return writer;
  }
  // Reads on after `after`.
  std::unique_ptr<BrokerReader> reader(std::uint64_t after = 0) {
    auto reader = broker().make_reader();
    const auto connected = insist([&] { return reader->connect(); });
    EXPECT_TRUE(connected) << connected.error().message;
    const Result<> sought = reader->seek(Place(Offset{after}));
    EXPECT_TRUE(sought) << sought.error().message;
    return reader;
  }

  BrokerProcess server_{"nats"};
  JetstreamOptions options_;
  std::vector<std::unique_ptr<Broker>> brokers_;
};

std::vector<Record> records(int first, int last) {
  std::vector<Record> made;
  for (int i = first; i <= last; ++i)
    made.push_back({.id = "id-" + std::to_string(i), .bytes = "record " + std::to_string(i)});
  return made;
}

// Reads until so many records have come, or a gap or an error.
BrokerReader::Batch read(BrokerReader& reader, std::size_t count) {
  BrokerReader::Batch all;
  while (all.records.size() < count && !all.gap) {
    auto batch = reader.read(milliseconds(1000));
    EXPECT_TRUE(batch) << batch.error().message;
    if (!batch) break;
    std::ranges::move(batch->records, std::back_inserter(all.records));
    all.gap = batch->gap;
  }
  return all;
}

// Reads until the reader says that something is wrong.
Error error_of(BrokerReader& reader) {
  while (true) {
    const auto batch = reader.read(milliseconds(100));
    if (!batch) return batch.error();
    if (batch->gap) return {ErrorKind::internal, "a gap"};
  }
}

template <class T>
std::optional<ErrorKind> error_kind(const Result<T>& result) {
  return result ? std::nullopt : std::optional(result.error().kind);
}

std::vector<std::string> texts(const BrokerReader::Batch& batch) {
  std::vector<std::string> texts;
  for (const BrokerRecord& record : batch.records) texts.push_back(record.bytes);
  return texts;
}

TEST_F(JetstreamBroker, ReadsWhatWasAppendedInOrder) {
  start();
  const auto stood = writer()->append(records(1, 3));
  ASSERT_TRUE(stood) << stood.error().message;
  ASSERT_EQ(stood->size(), 3U);
  EXPECT_EQ((*stood)[2].offset, Offset{3});
  EXPECT_FALSE((*stood)[2].is_repeat);

  const WallTime now = SystemClock().wall_now();
  const auto batch = read(*reader(), 3);
  ASSERT_EQ(batch.records.size(), 3U);
  for (std::uint64_t i = 0; i < 3; ++i) {
    EXPECT_EQ(batch.records[i].lane, 0U);
    EXPECT_EQ(batch.records[i].offset, Offset{i + 1});
    EXPECT_EQ(batch.records[i].id, "id-" + std::to_string(i + 1));
    EXPECT_EQ(batch.records[i].bytes, "record " + std::to_string(i + 1));
    EXPECT_LT(std::chrono::abs(batch.records[i].logged_at - now), std::chrono::minutes(5));
  }
}

TEST_F(JetstreamBroker, FollowsWhatIsAppendedLater) {
  start();
  const auto following = reader();
  const auto nothing = following->read(milliseconds(0));
  ASSERT_TRUE(nothing);
  EXPECT_TRUE(nothing->records.empty());
  const auto appending = writer();
  ASSERT_TRUE(appending->append(records(1, 1)));
  EXPECT_EQ(texts(read(*following, 1)), std::vector<std::string>{"record 1"});
  ASSERT_TRUE(appending->append(records(2, 3)));
  EXPECT_EQ(texts(read(*following, 2)), (std::vector<std::string>{"record 2", "record 3"}));
}

TEST_F(JetstreamBroker, GoesOnAfterAnyPlace) {
  start();
  ASSERT_TRUE(writer()->append(records(1, 20)));
  const auto following = reader();
  for (std::uint64_t after = 0; after < 20; ++after) {
    ASSERT_TRUE(following->seek(Place(Offset{after})));
    const auto batch = read(*following, 20 - after);
    ASSERT_EQ(batch.records.size(), 20 - after);
    EXPECT_EQ(batch.records.front().offset, Offset{after + 1});
    EXPECT_EQ(batch.records.back().offset, Offset{20});
  }
}

TEST_F(JetstreamBroker, SaysHowLongTheLogIs) {
  start();
  const auto following = reader();
  const auto empty = following->look();
  ASSERT_TRUE(empty);
  EXPECT_EQ(empty->last, Place());
  EXPECT_EQ(empty->before_first, Place());
  const auto appending = writer();
  ASSERT_TRUE(appending->append(records(1, 7)));
  ASSERT_TRUE(server_.trim("CARILLON", 2));
  const auto trimmed = following->look();
  ASSERT_TRUE(trimmed);
  EXPECT_EQ(trimmed->last, Place(Offset{7}));
  EXPECT_EQ(trimmed->before_first, Place(Offset{5}));
  EXPECT_EQ(trimmed->added, 7U);
  EXPECT_EQ(trimmed->incarnation, empty->incarnation);
  ASSERT_TRUE(server_.trim("CARILLON", 0));
  const auto purged = following->look();
  ASSERT_TRUE(purged);
  EXPECT_EQ(purged->last, Place(Offset{7}));
  EXPECT_EQ(purged->before_first, Place(Offset{7}));
  EXPECT_EQ(appending->end().value(), Place(Offset{7}));
}

TEST_F(JetstreamBroker, FindsThePlaceOfATime) {
  start();
  const auto appending = writer();
  for (int i = 1; i <= 30; ++i) ASSERT_TRUE(appending->append(records(i, i)));
  const auto following = reader();
  const auto batch = read(*following, 30);
  ASSERT_EQ(batch.records.size(), 30U);
  for (const BrokerRecord& asked : batch.records) {
    const auto place = following->place_at(asked.logged_at);
    ASSERT_TRUE(place) << place.error().message;
    for (const BrokerRecord& record : batch.records) {
      EXPECT_EQ(place->covers(0, record.offset), record.logged_at < asked.logged_at);
    }
  }
  EXPECT_EQ(following->place_at(WallTime{}).value(), Place());
  EXPECT_EQ(following->place_at(batch.records.back().logged_at + std::chrono::hours(1)).value(), Place(Offset{30}));
}

TEST_F(JetstreamBroker, KeepsOneOfRepeats) {
  start();
  const auto appending = writer();
  ASSERT_TRUE(appending->append(records(1, 3)));
  const auto stood = appending->append(records(2, 4));
  ASSERT_TRUE(stood);
  EXPECT_EQ((*stood)[0].offset, Offset{2});
  EXPECT_TRUE((*stood)[0].is_repeat);
  EXPECT_TRUE((*stood)[1].is_repeat);
  EXPECT_EQ((*stood)[2].offset, Offset{4});
  EXPECT_FALSE((*stood)[2].is_repeat);
  EXPECT_EQ(read(*reader(), 4).records.back().bytes, "record 4");
}

TEST_F(JetstreamBroker, KeepsRecordsWithoutAnIdApart) {
  start();
  const std::vector<Record> twice(2, Record{.id = {}, .bytes = "same"});
  const auto stood = writer()->append(twice);
  ASSERT_TRUE(stood);
  EXPECT_FALSE((*stood)[1].is_repeat);
  const auto batch = read(*reader(), 2);
  EXPECT_EQ(texts(batch), (std::vector<std::string>{"same", "same"}));
  EXPECT_EQ(batch.records[0].id, "");
}

TEST_F(JetstreamBroker, TellsIdsApartThatDifferInSpaces) {
  start();
  const std::vector<std::string> ids{"x", " x", "x ", "a b", "a  b", " ", ":", "\""};
  std::vector<Record> appended;
  for (const std::string& id : ids) appended.push_back({.id = id, .bytes = id});
  const auto stood = writer()->append(appended);
  ASSERT_TRUE(stood);
  const auto batch = read(*reader(), ids.size());
  ASSERT_EQ(batch.records.size(), ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    EXPECT_FALSE((*stood)[i].is_repeat);
    EXPECT_EQ(batch.records[i].bytes, ids[i]);
    const bool is_kept = ids[i].front() != ' ' && ids[i].back() != ' ';
    EXPECT_EQ(batch.records[i].id, is_kept ? ids[i] : "");
  }
}

TEST_F(JetstreamBroker, LeavesBytesAsTheyAre) {
  start();
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  all += "\r\nMSG $JS.ACK.x 1 5\r\n";
  ASSERT_TRUE(writer()->append(std::vector<Record>{{.id = "a b:c", .bytes = all}, {.id = "empty", .bytes = ""}}));
  ASSERT_TRUE(server_.put("CARILLON", all));
  const auto batch = read(*reader(), 3);
  EXPECT_EQ(texts(batch), (std::vector<std::string>{all, "", all}));
  EXPECT_EQ(batch.records[0].id, "a b:c");
  EXPECT_EQ(batch.records[2].id, "");
}

TEST_F(JetstreamBroker, TakesManyAndLongRecords) {
  start();
  const auto appending = writer();
  EXPECT_TRUE(
      std::ranges::none_of(appending->warnings(), [](const auto& text) { return text.contains("max_payload"); }));
  const std::vector<Record> many = records(1, 10'000);
  const auto stood = appending->append(many);
  ASSERT_TRUE(stood) << stood.error().message;
  for (std::size_t i = 0; i < many.size(); ++i) ASSERT_EQ((*stood)[i].offset, Offset{i + 1});
  std::vector<Record> longest;
  for (int i = 0; i < 40; ++i)
    longest.push_back({.id = "long-" + std::to_string(i),
                       .bytes = std::string(std::size_t{1} << 20, static_cast<char>('a' + i % 26))});
  ASSERT_TRUE(appending->append(longest));

  const auto batch = read(*reader(), 10'040);
  ASSERT_EQ(batch.records.size(), 10'040U);
  EXPECT_EQ(batch.records[9'999].bytes, many.back().bytes);
  for (std::size_t i = 0; i < 40; ++i) ASSERT_EQ(batch.records[10'000 + i].bytes, longest[i].bytes);
}

TEST_F(JetstreamBroker, RefusesARecordThatTheServerDoesNotTake) {
  start({"max_payload=100000"});
  const auto appending = writer();
  EXPECT_TRUE(
      std::ranges::any_of(appending->warnings(), [](const auto& text) { return text.contains("100000 bytes"); }));
  const auto stood = appending->append(std::vector<Record>{{.id = "x", .bytes = std::string(100'000, 'x')}});
  ASSERT_FALSE(stood);
  EXPECT_EQ(stood.error().kind, ErrorKind::invalid);
  EXPECT_NE(stood.error().message.find("100000 bytes"), std::string::npos);
  EXPECT_EQ(writer()->end().value(), Place());
}

TEST_F(JetstreamBroker, DoesNotTakeTheRecordsOfAnotherSubjectForEvents) {
  start();
  make_stream(R"("storage":"file")", R"("carillon.events","other.>")");
  const auto appending = writer();
  EXPECT_TRUE(
      std::ranges::any_of(appending->warnings(), [](const auto& text) { return text.contains("dead letters"); }));
  ASSERT_TRUE(server_.run("put", {"--subject", "other.thing"}, "not for us"));
  ASSERT_TRUE(appending->append(records(1, 1)));
  const auto batch = read(*reader(), 2);
  EXPECT_EQ(texts(batch), (std::vector<std::string>{"", "record 1"}));
  EXPECT_EQ(batch.records[0].offset, Offset{1});
}

TEST_F(JetstreamBroker, SaysThatRecordsWereTrimmed) {
  start();
  const auto appending = writer();
  ASSERT_TRUE(appending->append(records(1, 5)));
  ASSERT_TRUE(server_.trim("CARILLON", 2));
  const auto batch = read(*reader(2), 3);
  EXPECT_EQ(batch.gap, GapReason::trimmed);
  EXPECT_TRUE(batch.records.empty());
  EXPECT_FALSE(read(*reader(3), 2).gap);
  // And goes on saying it.
  const auto following = reader(1);
  EXPECT_EQ(read(*following, 1).gap, GapReason::trimmed);
  EXPECT_EQ(read(*following, 1).gap, GapReason::trimmed);
}

TEST_F(JetstreamBroker, SaysThatRecordsWereTrimmedByALimit) {
  start();
  make_stream(R"("storage":"file","max_msgs":10)");
  const auto appending = writer();
  ASSERT_TRUE(appending->append(records(1, 10)));
  const auto following = reader();
  EXPECT_EQ(read(*following, 10).records.size(), 10U);
  ASSERT_TRUE(following->seek(Place(Offset{5})));
  EXPECT_EQ(read(*following, 5).records.size(), 5U);
  ASSERT_TRUE(appending->append(records(11, 30)));
  ASSERT_TRUE(following->seek(Place(Offset{15})));
  EXPECT_EQ(read(*following, 1).gap, GapReason::trimmed);
  EXPECT_EQ(following->look().value().before_first, Place(Offset{20}));
}

TEST_F(JetstreamBroker, SaysThatARecordWasDeletedFromTheMiddle) {
  start();
  const auto appending = writer();
  ASSERT_TRUE(appending->append(records(1, 8)));
  const auto following = reader();
  ASSERT_TRUE(server_.run("api", {"STREAM.MSG.DELETE.CARILLON", R"({"seq":3})"}));
  EXPECT_EQ(following->look().value().before_first, Place(Offset{3}));
  ASSERT_TRUE(following->seek(Place()));
  const auto batch = read(*following, 8);
  EXPECT_EQ(texts(batch), (std::vector<std::string>{"record 1", "record 2"}));
  EXPECT_EQ(batch.gap, GapReason::trimmed);
  // Once it was read, nobody misses it.
  ASSERT_TRUE(following->seek(Place(Offset{3})));
  EXPECT_EQ(read(*following, 5).records.size(), 5U);

  ASSERT_TRUE(server_.run("api", {"STREAM.MSG.DELETE.CARILLON", R"({"seq":8})"}));
  EXPECT_EQ(following->look().value().before_first, Place(Offset{8}));
  ASSERT_TRUE(server_.trim("CARILLON", 3));
  EXPECT_EQ(following->look().value().before_first, Place(Offset{8}));
  ASSERT_TRUE(appending->append(records(9, 9)));
  EXPECT_EQ(reader()->look().value().before_first, Place(Offset{8}));
}

TEST_F(JetstreamBroker, SaysThatTheLogIsAnotherOne) {
  start();
  const auto appending = writer();
  ASSERT_TRUE(appending->append(records(1, 5)));
  const auto following = reader(5);
  const auto before = following->look();
  ASSERT_TRUE(before);
  ASSERT_TRUE(server_.recreate("CARILLON"));
  const auto after = following->look();
  ASSERT_TRUE(after);
  EXPECT_NE(after->incarnation, before->incarnation);
  EXPECT_EQ(after->last, Place());
  // The reader's own source went with the stream: it does not wait for it for ever.
  EXPECT_EQ(error_of(*following).kind, ErrorKind::unavailable);
  // Not even when it is asked for a place that this log has not reached.
  EXPECT_EQ(read(*reader(5), 1).gap, GapReason::epoch);
}

TEST_F(JetstreamBroker, LosesNothingThatWasAcknowledgedWhenTheServerIsKilled) {
  start();
  auto appending = writer();
  const auto following = reader();
  std::uint64_t passed = 0;
  const std::string incarnation = following->look().value().incarnation;
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(appending->append(records(round * 1000 + 1, round * 1000 + 1000)));
    passed += read(*following, 500).records.size();
    ASSERT_TRUE(server_.kill());
    const auto refused = appending->append(records(9'999, 9'999));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::unavailable);
    EXPECT_EQ(error_of(*following).kind, ErrorKind::unavailable);
    EXPECT_EQ(error_kind(following->connect()), ErrorKind::unavailable);
    EXPECT_EQ(error_kind(appending->connect()), ErrorKind::unavailable);
    ASSERT_TRUE(server_.start());
    ASSERT_TRUE(appending->connect());
    const auto extent = following->connect();
    ASSERT_TRUE(extent) << extent.error().message;
    EXPECT_EQ(extent->incarnation, incarnation);
    ASSERT_TRUE(following->seek(Place(Offset{passed})));
    passed += read(*following, static_cast<std::size_t>(round + 1) * 1000 - passed).records.size();
    EXPECT_EQ(passed, static_cast<std::uint64_t>(round + 1) * 1000);
  }
}

TEST_F(JetstreamBroker, DoesNotWaitForEverForAPausedServer) {
  start();
  options_.access.timeout = milliseconds(500);
  const auto appending = writer();
  const auto following = reader();
  ASSERT_TRUE(server_.pause());
  EXPECT_EQ(error_kind(appending->append(records(1, 1))), ErrorKind::unavailable);
  EXPECT_EQ(error_of(*following).kind, ErrorKind::unavailable);
  EXPECT_EQ(error_kind(following->look()), ErrorKind::unavailable);
  EXPECT_EQ(error_kind(following->connect()), ErrorKind::unavailable);
  EXPECT_EQ(error_kind(appending->connect()), ErrorKind::unavailable);
  ASSERT_TRUE(server_.resume());
  EXPECT_TRUE(insist([&] { return appending->connect(); }));
  EXPECT_TRUE(insist([&] { return following->connect(); }));
}

TEST_F(JetstreamBroker, SaysThatAStreamIsFull) {
  start();
  make_stream(R"("storage":"file","max_msgs":3,"discard":"new")");
  const auto appending = writer();
  ASSERT_TRUE(appending->append(records(1, 3)));
  const auto refused = appending->append(records(4, 4));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::full);
}

TEST_F(JetstreamBroker, SaysThatTheStreamIsGone) {
  start();
  const auto appending = writer();
  ASSERT_TRUE(server_.run("api", {"STREAM.DELETE.CARILLON"}));
  const auto refused = appending->append(records(1, 1));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::not_found);
}

TEST_F(JetstreamBroker, MakesAStreamThatKeepsRecordsForAsLongAsItIsTold) {
  start();
  options_.access.retention = milliseconds{1000};
  ASSERT_TRUE(writer()->append(records(1, 3)));
  const auto watcher = broker().make_reader();
  auto extent = watcher->connect();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{30};
  while (extent && !extent->before_first.covers(Place(Offset{3})) && std::chrono::steady_clock::now() < deadline)
    extent = watcher->look();
  ASSERT_TRUE(extent) << extent.error().message;
  EXPECT_EQ(extent->before_first, Place(Offset{3}));
  EXPECT_EQ(extent->last, Place(Offset{3}));
}

TEST_F(JetstreamBroker, RefusesAStreamThatIsNotThere) {
  start();
  options_.access.may_create = false;
  const auto connected = broker().make_reader()->connect();
  ASSERT_FALSE(connected);
  EXPECT_EQ(connected.error().kind, ErrorKind::not_found);
  EXPECT_NE(connected.error().message.find("CARILLON"), std::string::npos);
  EXPECT_EQ(error_kind(broker().make_writer()->connect()), ErrorKind::not_found);
}

TEST_F(JetstreamBroker, RefusesAStreamOfAnotherSubject) {
  start();
  make_stream(R"("storage":"file")", R"("other.>")");
  const auto connected = broker().make_writer()->connect();
  ASSERT_FALSE(connected);
  EXPECT_EQ(connected.error().kind, ErrorKind::invalid);
  EXPECT_NE(connected.error().message.find("carillon.events"), std::string::npos);
}

TEST_F(JetstreamBroker, RefusesAStreamThatWouldTakeTheNotes) {
  start();
  make_stream(R"("storage":"file")", R"("carillon.>")");
  const auto connected = broker().make_writer()->connect();
  ASSERT_FALSE(connected);
  EXPECT_EQ(connected.error().kind, ErrorKind::invalid);
  EXPECT_NE(connected.error().message.find("carillon.events.notes"), std::string::npos);
}

TEST_F(JetstreamBroker, RefusesAStreamThatForgetsWhatWasRead) {
  start();
  make_stream(R"("storage":"file","retention":"workqueue")");
  const auto connected = broker().make_reader()->connect();
  ASSERT_FALSE(connected);
  EXPECT_EQ(connected.error().kind, ErrorKind::invalid);
  EXPECT_NE(connected.error().message.find("limits"), std::string::npos);
}

TEST_F(JetstreamBroker, WarnsOfAStreamInMemory) {
  start();
  make_stream(R"("storage":"memory")");
  const auto warnings = writer()->warnings();
  EXPECT_TRUE(std::ranges::any_of(warnings, [](const auto& text) { return text.contains("in memory"); }));
}

TEST_F(JetstreamBroker, WarnsOfWhatASingleServerPromises) {
  start();
  const auto warnings = writer()->warnings();
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_NE(warnings[0].find("every two minutes"), std::string::npos);
}

TEST_F(JetstreamBroker, RefusesAServerWithoutJetStream) {
  start({"jetstream=no"});
  const auto connected = broker().make_reader()->connect();
  ASSERT_FALSE(connected);
  EXPECT_EQ(connected.error().kind, ErrorKind::invalid);
  EXPECT_NE(connected.error().message.find("JetStream is not enabled"), std::string::npos);
}

TEST_F(JetstreamBroker, IsRefusedWithAWrongPassword) {
  start({"password=right"});
  options_.access.password = "wrong";
  const auto connected = broker().make_writer()->connect();
  ASSERT_FALSE(connected);
  EXPECT_EQ(connected.error().kind, ErrorKind::denied);
  EXPECT_EQ(connected.error().message.find("wrong"), std::string::npos);
  EXPECT_NE(connected.error().message.find("password"), std::string::npos);
  EXPECT_EQ(error_kind(broker().make_reader()->connect()), ErrorKind::denied);
  options_.access.password = "right";
  EXPECT_TRUE(writer()->append(records(1, 1)));
  options_.access.username = "somebody";
  EXPECT_EQ(error_kind(broker().make_writer()->connect()), ErrorKind::denied);
}

TEST_F(JetstreamBroker, SpeaksTlsToAServerThatItTrusts) {
  start({"tls=yes", "password=right"});
  options_.access.password = "right";
  EXPECT_TRUE(writer()->append(records(1, 100)));
  EXPECT_EQ(read(*reader(), 100).records.size(), 100U);

  BrokerProcess other("nats");
  ASSERT_TRUE(other.start({"tls=yes"}));
  for (const std::string& ca : {other.said("ca"), std::string()}) {
    options_.access.ca_file = ca;
    const auto connected = broker().make_reader()->connect();
    ASSERT_FALSE(connected);
    EXPECT_EQ(connected.error().kind, ErrorKind::invalid) << connected.error().message;
    EXPECT_NE(connected.error().message.find("certificate"), std::string::npos);
  }
  options_.access.ca_file = "/nothing/there.pem";
  EXPECT_EQ(error_kind(broker().make_reader()->connect()), ErrorKind::invalid);
}

TEST_F(JetstreamBroker, WantsTheServersNameInItsCertificate) {
  start({"tls=yes"});
  EXPECT_TRUE(broker().make_reader()->connect());
  options_.access.url.replace(options_.access.url.find("localhost"), 9, "127.0.0.1");
  const auto connected = broker().make_reader()->connect();
  ASSERT_FALSE(connected);
  EXPECT_EQ(connected.error().kind, ErrorKind::invalid) << connected.error().message;
}

TEST_F(JetstreamBroker, IsKnownByItsCredentials) {
  start({"credentials=yes"});
  options_.credentials_file = server_.said("credentials");
  EXPECT_TRUE(writer()->append(records(1, 1)));
  EXPECT_EQ(read(*reader(), 1).records.size(), 1U);

  BrokerProcess other("nats");
  ASSERT_TRUE(other.start({"credentials=yes"}));
  for (const std::string& file : {other.said("credentials"), std::string()}) {
    options_.credentials_file = file;
    EXPECT_EQ(error_kind(broker().make_writer()->connect()), ErrorKind::denied) << file;
  }
}

TEST_F(JetstreamBroker, RefusesAFileThatHoldsNoCredentials) {
  start();
  for (const char* file : {"/nothing/there.creds", "/etc/hostname"}) {
    options_.credentials_file = file;
    const auto connected = broker().make_writer()->connect();
    ASSERT_FALSE(connected);
    EXPECT_EQ(connected.error().kind, ErrorKind::invalid);
    EXPECT_NE(connected.error().message.find(file), std::string::npos);
  }
}

TEST_F(JetstreamBroker, RefusesTlsWhereTheServerSpeaksNone) {
  start();
  options_.access.url.replace(0, 4, "tls");
  const auto connected = broker().make_reader()->connect();
  ASSERT_FALSE(connected);
  EXPECT_EQ(connected.error().kind, ErrorKind::invalid);
}

TEST_F(JetstreamBroker, KeepsNotesBesideTheLog) {
  start();
  const auto appending = writer();
  EXPECT_TRUE(appending->read_notes().value().empty());
  std::vector<std::string> notes{"first", std::string("\0\r\n", 3), std::string(std::size_t{2} << 20, 'n'), "last"};
  for (const std::string& note : notes) {
    const auto done = appending->append_note(note);
    ASSERT_TRUE(done) << done.error().message;
  }
  EXPECT_EQ(appending->read_notes().value(), notes);
  EXPECT_EQ(writer()->read_notes().value(), notes);
  EXPECT_EQ(appending->end().value(), Place());
  ASSERT_TRUE(server_.kill());
  ASSERT_TRUE(server_.start());
  EXPECT_EQ(writer()->read_notes().value(), notes);
}

TEST_F(JetstreamBroker, BoundsTheNotes) {
  start();
  const auto appending = writer();
  const std::string note(std::size_t{2} << 20, 'n');
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(appending->append_note(std::to_string(i) + note.substr(10)));
  const auto notes = appending->read_notes();
  ASSERT_TRUE(notes);
  EXPECT_LE(notes->size(), 32U);
  EXPECT_GE(notes->size(), 31U);
  EXPECT_TRUE(notes->back().starts_with("39"));
}

TEST(JetstreamBrokerOptions, AreChecked) {
  JetstreamOptions good;
  good.access.url = "nats://127.0.0.1:4222";
  good.stream = "CARILLON";
  good.subject = "carillon.events";
  ASSERT_TRUE(make_jetstream_broker(good));
  EXPECT_EQ((*make_jetstream_broker(good))->name(), "NATS JetStream at 127.0.0.1:4222, stream CARILLON");
  EXPECT_EQ((*make_jetstream_broker(good))->letter(), 'n');
  const auto refused = [&](auto change) {
    JetstreamOptions options = good;
    change(options);
    const auto made = make_jetstream_broker(options);
    return !made && made.error().kind == ErrorKind::invalid && !made.error().message.contains("secret");
  };
  EXPECT_TRUE(refused([](JetstreamOptions& options) { options.access.url = "nats://user:secret@127.0.0.1"; }));
  EXPECT_TRUE(refused([](JetstreamOptions& options) { options.access.ca_file = "ca.pem"; }));
  EXPECT_TRUE(refused([](JetstreamOptions& options) { options.stream = "a.b"; }));
  EXPECT_TRUE(refused([](JetstreamOptions& options) { options.subject = "carillon.*"; }));
}

TEST(JetstreamBrokerOptions, NameAServerThatIsNotThere) {
  JetstreamOptions options;
  options.access.url = "nats://127.0.0.1:1";
  options.stream = "CARILLON";
  options.subject = "carillon.events";
  const auto broker = std::move(make_jetstream_broker(options)).value();
  const auto connected = broker->make_reader()->connect();
  ASSERT_FALSE(connected);
  EXPECT_EQ(connected.error().kind, ErrorKind::unavailable);
  EXPECT_NE(connected.error().message.find("127.0.0.1:1"), std::string::npos);
}

}  // namespace
}  // namespace carillon::eventlog
