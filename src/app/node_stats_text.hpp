#pragma once

#include <string>
#include <string_view>

#include "app/node_stats.hpp"

namespace carillon::app {

// The node at `admin` as lines for people.
[[nodiscard]] std::string node_stats_text(std::string_view admin, const NodeStats& stats);

// The same as one JSON object. Times are in seconds and upper bounds; null: none was counted, or beyond every bucket.
[[nodiscard]] std::string node_stats_json(std::string_view admin, const NodeStats& stats);

}  // namespace carillon::app
