#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace carillon::net {

// The head of an HTTP/1.1 request, as sent. Owns its text.
struct HttpHead {
  std::string method;
  std::string path;                                         // of the request target, before '?'; origin-form only
  std::string query;                                        // after '?', without it
  std::vector<std::pair<std::string, std::string>> fields;  // names in lower case, values without outer white space
  std::optional<std::uint64_t> content_length;

  // The value of a field that is there exactly once; nothing when absent. Repeated ones: see count().
  [[nodiscard]] std::optional<std::string_view> field(std::string_view lower_name) const;
  // All values of a field, joined by commas in the order sent; empty when absent.
  [[nodiscard]] std::string joined(std::string_view lower_name) const;
  [[nodiscard]] std::size_t count(std::string_view lower_name) const;
  // The credentials of `Authorization: Bearer`; nothing when absent or of another scheme (RFC 6750 2.1).
  [[nodiscard]] std::optional<std::string_view> bearer_token() const;
  // Whether a comma-separated field (all its lines together) has that token, in any case.
  [[nodiscard]] bool has_token(std::string_view lower_name, std::string_view token) const;
};

struct HttpFault {
  int status = 400;
  std::string_view why;  // static text
};

inline constexpr std::size_t kFieldsMax = 64;

// The size of the head at the front of `bytes`, its closing empty line included; nothing when it is not all there.
// `from` is how much of `bytes` an earlier call has looked at, so that a head that trickles in costs linear time.
[[nodiscard]] std::optional<std::size_t> find_head_end(std::string_view bytes, std::size_t from);

// What is wrong already with a head that has not ended: a bad request line, or a line that does not end in CR LF. A
// peer that speaks something else is told at once and not by a time-out. `from` as above.
[[nodiscard]] std::optional<HttpFault> find_early_fault(std::string_view bytes, std::size_t from);

// Reads one whole head (RFC 9112), strictly, because leniency is how requests are smuggled: version 1.1 only, CR LF
// only, one Host, no folding, no Transfer-Encoding, origin-form target, at most one Content-Length of digits.
// Refusals are 400, 431 (too many fields) and 505 (another HTTP version).
[[nodiscard]] std::expected<HttpHead, HttpFault> parse_http_head(std::string_view head);

// The value of a query parameter, percent-decoded; nothing when absent or badly encoded.
[[nodiscard]] std::optional<std::string> query_parameter(std::string_view query, std::string_view name);

// Whether a token travels in the query, where logs and histories would keep it (protocol 2.2).
[[nodiscard]] bool has_token(std::string_view query);

}  // namespace carillon::net
