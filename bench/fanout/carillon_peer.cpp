#include "fanout/carillon_peer.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.hpp"
#include "load/event_book.hpp"

namespace carillon::bench {

namespace {

constexpr std::size_t kEventsPerCallMax = 1000;  // protocol 8.5

std::size_t digits_of(std::uint64_t number) {
  return std::to_string(number).size();
}

}  // namespace

Dialect::Entrance CarillonDialect::entrance(std::uint32_t client) const {
  return {.path = "/v1/stream?snapshot=false",
          .fields = "Authorization: Bearer " + target_.token(user_name(first_user_ + client)) + "\r\n"};
}

void CarillonDialect::hear(const ServerFrames::Frame& frame, std::string&, Ear& ear) const {
  if (frame.opcode != protocol::Opcode::text || !frame.is_last) return ear.on_fault("got what is no text message");
  if (frame.payload.starts_with(R"({"type":"notification")")) return ear.on_message(frame.payload);
  const auto message = json::Document::parse(frame.payload);
  if (!message) return ear.on_fault("got a message that is not JSON");
  const auto type = message->root().find_string("type"), event = message->root().find_string("event");
  if (type == "heartbeat") return ear.say(protocol::Opcode::text, R"({"type":"heartbeat","event":"pong"})");
  if (event == "live") return ear.on_live();
  if (type != "ack") ear.on_fault(std::string("got: ").append(frame.payload));
}

// An id of always the same size. The position that takes its place in the message has a digit more ten times later.
std::string CarillonPublisher::envelope(std::uint64_t number) const {
  const std::string head = fmt::format(R"("id":"{:010}-{}","event":"system_alert")", number, mark_.run());
  return make_alert(mark_, number, head, envelope_bytes_ - digits_of(number));
}

void CarillonPublisher::learn_size(std::uint64_t number, std::size_t bytes) {
  const std::size_t was = envelope_bytes_ - digits_of(number);
  envelope_bytes_ = was + kMessageBytes - bytes + digits_of(number);
}

Result<> CarillonPublisher::publish(std::uint64_t first, std::uint64_t count) {
  while (count > 0) {
    const std::uint64_t now = std::min<std::uint64_t>(count, kEventsPerCallMax);
    std::string body;
    for (std::uint64_t number = first; number < first + now; ++number)
      body.append(number == first ? "[" : ",").append(envelope(number));
    body.append("]");
    if (auto posted = calls_.post(body, now); !posted) return posted;
    first += now;
    count -= now;
  }
  return {};
}

}  // namespace carillon::bench
