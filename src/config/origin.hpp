#pragma once

#include <string_view>

namespace carillon::config {

// An origin as browsers send it (RFC 6454 6.1): "https://trade.example.com", lower case, no path, no default port.
[[nodiscard]] bool is_origin(std::string_view text);

}  // namespace carillon::config
