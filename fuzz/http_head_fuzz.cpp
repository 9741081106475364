// Request heads from a hostile peer (net/http_head.hpp): what is accepted has one meaning only, so that written again
// it reads the same, and nobody in front of us can have read another request.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ensure.hpp"
#include "net/http_head.hpp"

namespace {

using carillon::ensure;
using carillon::net::HttpHead;

bool is_visible(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= 0x20 && c <= 0x7E) || c == '\t'; });
}

void check_end(std::string_view bytes) {
  const auto whole = carillon::net::find_head_end(bytes, 0);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto here = carillon::net::find_head_end(bytes.substr(0, size + 1), size);
    if (!here) continue;
    ensure(here == whole && *here == size + 1, "the end is found when its last byte is there");
    return;
  }
  ensure(!whole, "an end that is there is found");
}

std::string written_again(const HttpHead& head) {
  std::string text = head.method + ' ' + head.path + (head.query.empty() ? "" : "?" + head.query) + " HTTP/1.1\r\n";
  for (const auto& [name, value] : head.fields) text += name + ": " + value + "\r\n";
  return text + "\r\n";
}

void check_head(const HttpHead& head) {
  ensure(!head.method.empty() && head.method.find(' ') == std::string::npos, "the method is a token");
  ensure(head.path.starts_with('/') && is_visible(head.path + head.query), "the target is in origin form");
  ensure(head.fields.size() <= carillon::net::kFieldsMax, "the fields keep to the limit");
  ensure(head.count("host") == 1 && head.count("transfer-encoding") == 0, "the framing is plain");
  ensure(head.content_length.has_value() == (head.count("content-length") == 1), "a length is a number");
  for (const auto& [name, value] : head.fields)
    ensure(!name.empty() && is_visible(name) && is_visible(value), "a field is visible text");

  const auto again = carillon::net::parse_http_head(written_again(head));
  ensure(again.has_value(), "an accepted head is accepted again");
  ensure(again->method == head.method && again->path == head.path && again->query == head.query &&
             again->fields == head.fields && again->content_length == head.content_length,
         "it reads the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check_end(bytes);
  const auto head = carillon::net::parse_http_head(bytes);
  if (!head) {
    const int status = head.error().status;
    ensure(status == 400 || status == 431 || status == 505, "a refusal has its status");
    return 0;
  }
  check_head(*head);
  // Neither may run past its end, whatever the text.
  const auto token = carillon::net::query_parameter(head->query, "token");
  ensure(!token || token->size() <= head->query.size(), "decoding does not grow");
  ensure(!head->has_token("connection", "upgrade") || head->count("connection") > 0, "a token needs its field");
  return 0;
}
