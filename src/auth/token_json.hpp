#pragma once

#include <optional>
#include <string_view>

#include "base/json.hpp"

namespace carillon::auth {

// A header or a set of claims: one JSON object, read as strictly as base/json reads, and without numbers that no double
// holds (1e400), which other readers of the same token would take for something else. Nothing when it is not that.
[[nodiscard]] std::optional<json::Document> parse_token_json(std::string_view text);

}  // namespace carillon::auth
