#include "auth/token_json.hpp"

#include <charconv>
#include <system_error>
#include <utility>

namespace carillon::auth {

namespace {

// Its depth is bounded by json::Limits.
bool has_unbounded_number(const json::Value& value) {  // NOLINT(misc-no-recursion)
  if (value.is(json::Kind::number)) {
    const std::string_view text = value.text();
    double number = 0;
    return std::from_chars(text.data(), text.data() + text.size(), number).ec != std::errc{};
  }
  for (const json::Value child : value)
    if (has_unbounded_number(child)) return true;
  return false;
}

}  // namespace

std::optional<json::Document> parse_token_json(std::string_view text) {
  auto document = json::Document::parse(text);
  if (!document || !document->root().is(json::Kind::object) || has_unbounded_number(document->root()))
    return std::nullopt;
  return std::move(*document);
}

}  // namespace carillon::auth
