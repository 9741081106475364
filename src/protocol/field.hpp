#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "event/decimal.hpp"
#include "protocol/envelope.hpp"

// What one value of an envelope may be (protocol 5.1). A fault's pointer is relative to the value that was checked;
// each caller puts its own part before it.
namespace carillon::protocol {

inline constexpr std::size_t kTextBytesMax = 256;
inline constexpr std::size_t kLongTextBytesMax = 4096;

using MaybeFault = std::optional<EnvelopeFault>;

[[nodiscard]] EnvelopeFault fault(std::string_view code, std::string message, std::string pointer = {});
[[nodiscard]] EnvelopeFault wrong_type(std::string_view expected);
[[nodiscard]] EnvelopeFault missing(std::string_view member);
// The same fault, seen from the value that has the faulty one as member or element `name`.
[[nodiscard]] EnvelopeFault inside(std::string_view name, EnvelopeFault fault);

// A string of 1 to `bytes_max` bytes without control characters.
[[nodiscard]] MaybeFault check_text(const json::Value& value, std::size_t bytes_max = kTextBytesMax);
[[nodiscard]] std::expected<Decimal, EnvelopeFault> read_number(const json::Value& value);

}  // namespace carillon::protocol
