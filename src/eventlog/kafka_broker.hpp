#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "eventlog/broker.hpp"

namespace carillon::eventlog {

// A Kafka topic as a log (protocol 8.7): one lane for each partition, at most kLanesMax. What we append has the user of
// the event as key, so that each user's events keep their order, and the id in the header `id`.
struct KafkaOptions {
  BrokerAccess access;  // url: host:port, separated by commas
  std::string topic;    // notes are in the topic "<topic>.notes", one partition
  bool uses_tls = false;
  std::string sasl_mechanism;  // PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512 with username and password; empty: none
};
[[nodiscard]] Result<std::unique_ptr<Broker>> make_kafka_broker(KafkaOptions options);

}  // namespace carillon::eventlog
