// Any bytes as an envelope (protocol 5 and 8): no crash; and what is accepted reads back equal from what we write of
// it, with every number's text as it came.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ensure.hpp"
#include "base/json.hpp"
#include "protocol/envelope.hpp"
#include "protocol/server_message.hpp"
#include "protocol/text_frame.hpp"

namespace {

using carillon::Event;
using carillon::json::Document;
using carillon::json::Kind;
using carillon::json::Value;

const carillon::WallTime kNow = carillon::ManualClock{}.wall_now();

// The texts of all scalars in order, names included.
void collect(const Value& value, std::vector<std::string>& texts) {
  texts.emplace_back(value.key());
  texts.emplace_back(value.text());
  for (const Value child : value) collect(child, texts);
}

std::vector<std::string> texts_of(const Value& value) {
  std::vector<std::string> texts;
  for (const Value child : value) collect(child, texts);
  return texts;
}

void check_payload_text(std::string_view envelope, const Event& event) {
  const auto source = Document::parse(envelope, carillon::protocol::kEnvelopeLimits);
  const auto payload = Document::parse(event.payload, carillon::protocol::kEnvelopeLimits);
  carillon::ensure(source && payload, "an accepted payload is JSON");
  carillon::ensure(event.payload.size() <= envelope.size(), "a payload never grows");
  carillon::ensure(texts_of(*source->root().find("payload")) == texts_of(payload->root()), "a payload keeps its texts");
}

void check_round_trip(const Event& event) {
  const std::string encoded = carillon::protocol::encode_envelope(event);
  const auto again = carillon::protocol::parse_envelope(encoded, kNow);
  carillon::ensure(again && *again == event, "an envelope reads back equal");
  carillon::ensure(carillon::protocol::encode_envelope(*again) == encoded, "the same content gives the same bytes");
}

void check_notification(const Event& event) {
  const auto [frame, mark_at] = carillon::protocol::encode_notification(event, kNow, carillon::Position{"j1.1"}, true);
  carillon::ensure(mark_at < frame.size() && frame[mark_at] == ',', "a mark goes between two members");
  const std::string_view text = std::string_view(frame).substr(carillon::protocol::header_size(frame));
  const auto document = Document::parse(text, {.depth_max = 33, .members_max = 64, .values_max = 8192});
  carillon::ensure(document && document->root().find("payload")->is(Kind::object), "a notification is JSON");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto event = carillon::protocol::parse_envelope(text, kNow);
  if (!event) return 0;
  check_payload_text(text, *event);
  check_round_trip(*event);
  check_notification(*event);
  return 0;
}
