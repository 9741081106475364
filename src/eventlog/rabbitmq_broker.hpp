#pragma once

#include <memory>
#include <string>

#include "eventlog/broker.hpp"

namespace carillon::eventlog {

// A RabbitMQ stream queue as a log (protocol 8.7): the body is the envelope, message-id the id in what we append. A
// classic or quorum queue of that name is refused.
struct RabbitmqOptions {
  BrokerAccess access;  // url: amqp://[user@]host[:port]/[vhost], amqps:// for TLS
  std::string queue;    // notes are in the stream queue "<queue>.notes"
};
[[nodiscard]] Result<std::unique_ptr<Broker>> make_rabbitmq_broker(RabbitmqOptions options);

}  // namespace carillon::eventlog
