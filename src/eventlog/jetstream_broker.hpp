#pragma once

#include <memory>
#include <string>

#include "eventlog/broker.hpp"

namespace carillon::eventlog {

// A NATS JetStream stream as a log (protocol 8.7): the data is the envelope, the header `Nats-Msg-Id` the id in what we
// append, by which the server itself keeps one of repeats within its window.
struct JetstreamOptions {
  BrokerAccess access;           // url: nats://[user@]host[:port], tls:// for TLS; several, separated by commas
  std::string stream;            // notes are in the stream "<stream>_NOTES", subject "<subject>.notes"
  std::string subject;           // a record of the stream under another subject is foreign
  std::string credentials_file;  // a .creds file; empty: none
};
[[nodiscard]] Result<std::unique_ptr<Broker>> make_jetstream_broker(JetstreamOptions options);

}  // namespace carillon::eventlog
