// The suite of all event logs over real brokers: one server of each kind for all cases, and a new log on it for each.

#include "eventlog/event_log_suite.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "base/clock.hpp"
#include "base/ensure.hpp"
#include "brokers/broker_process.hpp"
#include "brokers/expect_started.hpp"
#include "eventlog/broker_log_suite.hpp"
#include "eventlog/jetstream_broker.hpp"
#include "eventlog/kafka_broker.hpp"
#include "eventlog/rabbitmq_broker.hpp"
#include "eventlog/redis_broker.hpp"

namespace carillon::eventlog {
namespace {

using brokers::BrokerProcess;

struct Redis {
  static constexpr const char* kScript = "redis";
  static std::string log_name(const std::string& number) { return "carillon:suite:" + number; }
  static Result<std::unique_ptr<Broker>> make(BrokerAccess access, const std::string& log) {
    return make_redis_broker({.access = std::move(access), .stream = log});
  }
};

struct Kafka {
  static constexpr const char* kScript = "kafka";
  static std::string log_name(const std::string& number) { return "carillon.suite." + number; }
  static Result<std::unique_ptr<Broker>> make(BrokerAccess access, const std::string& log) {
    return make_kafka_broker({.access = std::move(access), .topic = log, .sasl_mechanism = {}});
  }
};

struct Rabbitmq {
  static constexpr const char* kScript = "rabbitmq";
  static std::string log_name(const std::string& number) { return "carillon.suite." + number; }
  static Result<std::unique_ptr<Broker>> make(BrokerAccess access, const std::string& log) {
    return make_rabbitmq_broker({.access = std::move(access), .queue = log});
  }
};

struct Jetstream {
  static constexpr const char* kScript = "nats";
  static std::string log_name(const std::string& number) { return "SUITE_" + number; }
  static Result<std::unique_ptr<Broker>> make(BrokerAccess access, const std::string& log) {
    return make_jetstream_broker(
        {.access = std::move(access), .stream = log, .subject = "carillon." + log, .credentials_file = {}});
  }
};

template <class Kind>
class RealWorld {
 public:
  static void prepare() {
    static const Result<> started = server().start();
    brokers::expect_started(started);
  }

  RealWorld() { reopen(); }
  // The server is as the next case expects it, also after one that failed.
  ~RealWorld() {
    if (is_paused_) resume();
    if (is_down_) bring_back();
  }
  RealWorld(const RealWorld&) = delete;
  RealWorld& operator=(const RealWorld&) = delete;

  EventLog& log() { return node_->log(); }
  Node& node() { return *node_; }
  void reopen() {
    node_.reset();
    node_ = std::make_unique<Node>(broker(), test_options(), clock_);
  }
  std::unique_ptr<Broker> broker() {
    BrokerAccess access;
    access.url = server().said("url");
    access.timeout = kPatience;
    Result<std::unique_ptr<Broker>> made = Kind::make(std::move(access), log_name_);
    ensure(made.has_value(), "what the script says of its server is an address");
    return std::move(*made);
  }

  void kill() { expect_done(server().kill()), is_down_ = true; }
  void bring_back() { expect_done(server().start()), is_down_ = false; }
  void pause() { expect_done(server().pause()), is_paused_ = true; }
  void resume() { expect_done(server().resume()), is_paused_ = false; }
  void trim(std::size_t keep) { expect_done(server().trim(log_name_, keep)); }
  void recreate() { expect_done(server().recreate(log_name_)); }
  void put(const std::string& bytes) { expect_done(server().put(log_name_, bytes)); }

 private:
  // Of a machine that has much else to do.
  static constexpr milliseconds kPatience{4000};

  static BrokerProcess& server() {
    static BrokerProcess process(Kind::kScript);
    return process;
  }
  static void expect_done(const Result<>& done) { EXPECT_TRUE(done) << done.error().message; }
  static std::string next_name() {
    static int number = 0;
    return Kind::log_name(std::to_string(++number));
  }

  SystemClock clock_;
  std::string log_name_ = next_name();
  bool is_down_ = false;
  bool is_paused_ = false;
  std::unique_ptr<Node> node_;
};

using RedisWorld = RealWorld<Redis>;
using KafkaWorld = RealWorld<Kafka>;
struct RabbitmqWorld : RealWorld<Rabbitmq> {
  using HasHoles = void;
};
using JetstreamWorld = RealWorld<Jetstream>;

INSTANTIATE_TYPED_TEST_SUITE_P(RedisBroker, EventLogSuite, RedisWorld);
INSTANTIATE_TYPED_TEST_SUITE_P(RedisBroker, ConcurrentLogSuite, RedisWorld);
INSTANTIATE_TYPED_TEST_SUITE_P(RedisBroker, BrokerLogSuite, RedisWorld);

INSTANTIATE_TYPED_TEST_SUITE_P(KafkaBroker, EventLogSuite, KafkaWorld);
INSTANTIATE_TYPED_TEST_SUITE_P(KafkaBroker, ConcurrentLogSuite, KafkaWorld);
INSTANTIATE_TYPED_TEST_SUITE_P(KafkaBroker, BrokerLogSuite, KafkaWorld);

INSTANTIATE_TYPED_TEST_SUITE_P(RabbitmqBroker, EventLogSuite, RabbitmqWorld);
INSTANTIATE_TYPED_TEST_SUITE_P(RabbitmqBroker, ConcurrentLogSuite, RabbitmqWorld);
INSTANTIATE_TYPED_TEST_SUITE_P(RabbitmqBroker, BrokerLogSuite, RabbitmqWorld);

INSTANTIATE_TYPED_TEST_SUITE_P(JetstreamBroker, EventLogSuite, JetstreamWorld);
INSTANTIATE_TYPED_TEST_SUITE_P(JetstreamBroker, ConcurrentLogSuite, JetstreamWorld);
INSTANTIATE_TYPED_TEST_SUITE_P(JetstreamBroker, BrokerLogSuite, JetstreamWorld);

}  // namespace
}  // namespace carillon::eventlog
