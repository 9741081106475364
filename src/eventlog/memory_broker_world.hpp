#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "base/clock.hpp"
#include "eventlog/broker_log_suite.hpp"
#include "eventlog/memory_broker.hpp"

namespace carillon::eventlog {

// For tests: a node's log on a broker in memory, as a world of BrokerLogSuite.
class MemoryBrokerWorld {
 public:
  static constexpr milliseconds kPatience{100};

  static void prepare() {}
  explicit MemoryBrokerWorld(MemoryServer::Options options = {}) {
    options.client_patience = kPatience;
    server_ = std::make_shared<MemoryServer>(options, clock_);
    reopen();
  }

  EventLog& log() { return node_->log(); }
  Node& node() { return *node_; }
  MemoryServer& server() { return *server_; }
  void reopen() {
    node_.reset();
    node_ = std::make_unique<Node>(broker(), test_options(), clock_);
  }
  std::unique_ptr<Broker> broker() { return std::make_unique<MemoryBroker>(server_); }

  void kill() { server_->go_down(); }
  void bring_back() { server_->come_back(); }
  void pause() { server_->hold_answers(); }
  void resume() { server_->give_answers(); }
  void trim(std::size_t keep) { server_->trim(keep); }
  void recreate() { server_->recreate(); }
  void put(std::string bytes) { server_->put(std::move(bytes)); }

 private:
  SystemClock clock_;
  std::shared_ptr<MemoryServer> server_;
  std::unique_ptr<Node> node_;
};

// As a Kafka topic.
struct LanedBrokerWorld : MemoryBrokerWorld {
  LanedBrokerWorld() : MemoryBrokerWorld({.lanes = 3}) {}
};
// As a RabbitMQ stream, and more silent than any.
struct SilentBrokerWorld : MemoryBrokerWorld {
  SilentBrokerWorld() : MemoryBrokerWorld({.says_offset = false, .says_incarnation = false, .counts_added = false}) {}
};
// As a JetStream stream.
struct RepeatKeepingBrokerWorld : MemoryBrokerWorld {
  RepeatKeepingBrokerWorld() : MemoryBrokerWorld({.keeps_one_of_repeats = true}) {}
};

}  // namespace carillon::eventlog
