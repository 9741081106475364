#pragma once

#include <memory>
#include <string>

#include "eventlog/broker.hpp"

namespace carillon::eventlog {

// A NATS JetStream stream as a log (protocol 8.7): the data is the envelope, the header `Nats-Msg-Id` the id in what we
// append, by which the server itself keeps one of repeats within its window. The offset is the stream's sequence.
//
// A stream holds what it took until its limits say otherwise: another retention is refused. A record under another
// subject of the stream is foreign and shows no bytes: who may publish there need not be allowed to publish events. A
// record that was deleted from the middle is missing like a trimmed one: before_first is not before it.
struct JetstreamOptions {
  BrokerAccess access;           // url: nats://[user@]host[:port], tls:// for TLS; several, separated by commas
  std::string stream;            // notes are in the stream "<stream>_NOTES", subject "<subject>.notes"
  std::string subject;           // no wildcards
  std::string credentials_file;  // a .creds file; empty: none
};
// `invalid` when the URL is not one or holds a password, or a name cannot be one.
[[nodiscard]] Result<std::unique_ptr<Broker>> make_jetstream_broker(JetstreamOptions options);

}  // namespace carillon::eventlog
