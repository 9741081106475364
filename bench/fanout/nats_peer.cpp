#include "fanout/nats_peer.hpp"

#include <fmt/format.h>

#include "fanout/message.hpp"
#include "fanout/nats_stream.hpp"

namespace carillon::bench {

namespace {

constexpr std::string_view kConnect =
    "CONNECT {\"verbose\":false,\"pedantic\":false,\"lang\":\"c++\",\"version\":\"1\",\"protocol\":1}\r\n";

}  // namespace

// The PONG comes after the subscription was taken.
void NatsDialect::begin(Ear& ear) const {
  ear.say(protocol::Opcode::binary, std::string(kConnect) + "SUB bench 1\r\nPING\r\n");
}

// The frames are pieces of one stream of bytes.
void NatsDialect::hear(const ServerFrames::Frame& frame, std::string& rest, Ear& ear) const {
  NatsStream stream(rest, frame.payload);
  while (const auto item = stream.next()) {
    if (item->kind == NatsStream::Kind::broken) return ear.on_fault("got what is not NATS");
    if (item->kind == NatsStream::Kind::message) {
      ear.on_message(item->text);
    } else if (item->text == "PING") {
      ear.say(protocol::Opcode::binary, "PONG\r\n");
    } else if (item->text == "PONG") {
      ear.on_live();
    } else if (item->text.starts_with("-ERR")) {
      ear.on_fault(item->text);
    }
  }
}

Result<> NatsPublisher::greet() {
  if (auto sent = line_.send(std::string(kConnect) + "PING\r\n"); !sent) return sent;
  std::string answer;
  while (answer.find("PONG\r\n") == std::string::npos) {
    if (auto more = line_.receive(answer); !more) return more;
    if (answer.find("-ERR") != std::string::npos) return fail(ErrorKind::unavailable, "NATS answered: " + answer);
  }
  return {};
}

Result<> NatsPublisher::publish(std::uint64_t first, std::uint64_t count) {
  std::string commands;
  for (std::uint64_t number = first; number < first + count; ++number)
    commands += fmt::format("PUB bench {}\r\n{}\r\n", kMessageBytes, make_message(mark_, number));
  return line_.send(commands);
}

}  // namespace carillon::bench
