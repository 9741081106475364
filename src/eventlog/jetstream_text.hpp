#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

// The texts of NATS that we read ourselves. Pure.
namespace carillon::eventlog {

struct NatsServers {
  std::vector<std::string> urls;  // each nats://host:port or tls://host:port, and nothing else
  std::string username;           // as the URL has it; empty: none
  bool with_tls = false;

  // "127.0.0.1:4222", or several, divided by commas.
  [[nodiscard]] std::string name() const;
};

// Reads nats://[user@]host[:port] or tls://..., several divided by commas, all of one scheme and user. `invalid` when
// it is not that, or holds a password; the message does not repeat the text.
[[nodiscard]] Result<NatsServers> parse_nats_url(std::string_view text);

// Whether it can be the name of a stream, and a subject without wildcards.
[[nodiscard]] bool is_stream_name(std::string_view text);
[[nodiscard]] bool is_plain_subject(std::string_view text);
// Whether a subject is one of those that `pattern`, with its * and >, stands for.
[[nodiscard]] bool matches_subject(std::string_view pattern, std::string_view subject);

// What the server says about a record that it delivers, in the reply subject.
struct DeliveryStamp {
  std::uint64_t stream_sequence = 0;
  std::uint64_t consumer_sequence = 0;  // 1, 2, 3 ... over all that this consumer was sent
  std::uint64_t pending = 0;            // records of the stream behind it
  WallTime stored_at;
};
// Nothing when it is no such subject.
[[nodiscard]] std::optional<DeliveryStamp> parse_delivery_stamp(std::string_view reply);

}  // namespace carillon::eventlog
