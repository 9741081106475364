#include "fanout/carillon_peer.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.hpp"
#include "fanout/message.hpp"
#include "load/event_book.hpp"
#include "load/http_answer.hpp"

namespace carillon::bench {

namespace {

constexpr std::size_t kEventsPerCallMax = 1000;  // protocol 8.5

std::size_t digits_of(std::uint64_t number) {
  return std::to_string(number).size();
}

}  // namespace

Dialect::Entrance CarillonDialect::entrance(std::uint32_t client) const {
  return {.path = "/v1/stream?snapshot=false",
          .fields = "Authorization: Bearer " + target_.token(user_name(client)) + "\r\n"};
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

CarillonPublisher::CarillonPublisher(Line line, const Target& target, Mark mark)
    : line_(std::move(line)),
      mark_(std::move(mark)),
      head_("POST /v1/events HTTP/1.1\r\nHost: " + target.endpoint().text() + "\r\nAuthorization: Bearer " +
            target.token("bench-publisher", "publish") + "\r\nContent-Type: application/json\r\nContent-Length: "),
      envelope_bytes_(kMessageBytes) {}

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
    if (auto sent = line_.send(head_ + std::to_string(body.size()) + "\r\n\r\n" + body); !sent) return sent;
    if (auto accepted = receive_accepted(now); !accepted) return accepted;
    first += now;
    count -= now;
  }
  return {};
}

Result<> CarillonPublisher::receive_accepted(std::uint64_t count) {
  received_.clear();
  auto answer = whole_answer(received_);
  while (!answer) {
    if (auto more = line_.receive(received_); !more) return more;
    answer = whole_answer(received_);
  }
  const bool all_new = received_.find(fmt::format(R"("accepted":{},"duplicates":0,)", count)) != std::string::npos;
  if (answer->status == 202 && all_new) return {};
  return fail(ErrorKind::unavailable, "a call was answered with: " + received_.substr(0, 1000));
}

}  // namespace carillon::bench
