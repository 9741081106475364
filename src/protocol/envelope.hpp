#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/json.hpp"
#include "event/event.hpp"

namespace carillon::protocol {

// Why an envelope was refused, as RFC 9457 answers carry it (protocol 8.5). The first fault found is the one told.
struct EnvelopeFault {
  std::string pointer;  // RFC 6901, from the envelope's root: "/payload/entry_price"; "" is the envelope itself
  // A stable word:
  //   not_json       the text is no JSON, or beyond its limits
  //   too_large      more bytes or values than an event may have
  //   missing        a required member is absent
  //   wrong_type     another kind of JSON value is expected; null is never taken for absent
  //   out_of_range   a number, length, count or time outside its bounds
  //   not_allowed    a word, character or member that may not stand there
  //   bad_timestamp  no RFC 3339 date and time
  std::string code;
  std::string message;  // for people: what is allowed; never what was sent
};

// JSON limits of an event envelope; the same for REST, gRPC and a log's record.
inline constexpr json::Limits kEnvelopeLimits{.depth_max = 32, .members_max = 64, .values_max = 4096};
// A body of many: one array of at most 1000 envelopes (protocol 8.5). No deeper than one envelope alone, so that what
// is taken from a batch is never refused when it is read from the log.
inline constexpr json::Limits kBatchLimits{.depth_max = 32, .members_max = 64, .values_max = 128 * 1024};
inline constexpr std::size_t kBatchItemsMax = 1000;
inline constexpr std::size_t kPublishBytesMax = std::size_t{1024} * 1024;
// A payload as it is pushed. A quarter of the default queue of a client: a larger event would close every client that
// has anything else waiting, at each of its returns.
inline constexpr std::size_t kPayloadBytesMax = std::size_t{256} * 1024;
inline constexpr milliseconds kFutureMax = std::chrono::hours{24};

// Checks one envelope exactly as protocol 5 and 8 say. `now` decides what is too far in the future (8.2).
// Members that are not known are ignored in the envelope and passed on in the payload; in the audience they are
// refused, for they may have been meant to narrow it. `user_id` belongs to order_update alone, `audience` to the
// others.
[[nodiscard]] std::expected<Event, EnvelopeFault> parse_envelope(const json::Value& envelope, WallTime now);
[[nodiscard]] std::expected<Event, EnvelopeFault> parse_envelope(std::string_view text, WallTime now);

// The envelope as our own calls append it to the log (protocol 8.7): compact, members in a fixed order, so that two
// calls with the same content give the same bytes. Leaves `timestamp` out when the producer did.
[[nodiscard]] std::string encode_envelope(const Event& event);

}  // namespace carillon::protocol
