#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace carillon {

// The bytes that a text of a URL stands for (RFC 3986 2.1), which may be any; nothing where a % has no two hexadecimal
// digits behind it.
[[nodiscard]] std::optional<std::string> percent_decoded(std::string_view text);

}  // namespace carillon
