#include "protocol/field.hpp"

#include <utility>

#include "base/utf8.hpp"

namespace carillon::protocol {

EnvelopeFault fault(std::string_view code, std::string message, std::string pointer) {
  return {std::move(pointer), std::string(code), std::move(message)};
}

EnvelopeFault wrong_type(std::string_view expected) {
  return fault("wrong_type", "must be " + std::string(expected));
}

EnvelopeFault missing(std::string_view member) {
  return inside(member, fault("missing", std::string(member) + " is required"));
}

EnvelopeFault inside(std::string_view name, EnvelopeFault fault) {
  fault.pointer.insert(0, name).insert(0, "/");
  return fault;
}

MaybeFault check_text(const json::Value& value, std::size_t bytes_max) {
  if (!value.is(json::Kind::string)) return wrong_type("a string");
  const std::string_view text = value.text();
  if (text.empty() || text.size() > bytes_max)
    return fault("out_of_range", "must be 1 to " + std::to_string(bytes_max) + " bytes long");
  if (has_control_character(text)) return fault("not_allowed", "must not contain control characters");
  return std::nullopt;
}

std::expected<Decimal, EnvelopeFault> read_number(const json::Value& value) {
  if (!value.is(json::Kind::number)) return std::unexpected(wrong_type("a number"));
  auto number = Decimal::parse(value.text());
  if (!number)
    return std::unexpected(
        fault("out_of_range", "must be a number of at most 40 characters with an exponent from -30 to 30"));
  return std::move(*number);
}

}  // namespace carillon::protocol
