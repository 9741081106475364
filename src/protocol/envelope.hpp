#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/json.hpp"
#include "event/event.hpp"

namespace carillon::protocol {

// Why an envelope was refused, as RFC 9457 answers carry it (protocol 8.5).
struct EnvelopeFault {
  std::string pointer;  // RFC 6901, from the envelope's root: "/payload/entry_price"
  std::string code;     // stable word: missing, wrong_type, out_of_range, not_allowed, bad_timestamp, not_json ...
  std::string message;  // for people: what is wrong and what is allowed
};

// JSON limits of an event envelope; the same for REST, gRPC and a log's record.
inline constexpr json::Limits kEnvelopeLimits{.depth_max = 32, .members_max = 64, .values_max = 4096};
// A batch body: one array of at most 1000 envelopes (protocol 8.5).
inline constexpr std::size_t kBatchItemsMax = 1000;
inline constexpr std::size_t kPublishBytesMax = 1024 * 1024;

// Checks one envelope exactly as protocol 5 and 8 say. `now` decides what is too far in the future (8.2).
// Members that are not known are ignored in the envelope and passed on in the payload.
[[nodiscard]] std::expected<Event, EnvelopeFault> parse_envelope(const json::Value& envelope, WallTime now);
[[nodiscard]] std::expected<Event, EnvelopeFault> parse_envelope(std::string_view text, WallTime now);

// The envelope as our own calls append it to the log (protocol 8.7): compact, members in a fixed order, so that two
// calls with the same content give the same bytes. Leaves `timestamp` out when the producer did.
[[nodiscard]] std::string encode_envelope(const Event& event);

}  // namespace carillon::protocol
