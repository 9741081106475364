#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace carillon {

// Base64 with the URL alphabet and without padding (RFC 4648 5, RFC 7515 2), read strictly: any other character,
// padding, white space, a length that no bytes have and left-over bits that are not zero make it nothing, so that every
// sequence of bytes has exactly one text.
[[nodiscard]] std::optional<std::string> decode_base64url(std::string_view text);

void append_base64url(std::string& out, std::string_view bytes);

}  // namespace carillon
