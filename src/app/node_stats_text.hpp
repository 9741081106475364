#pragma once

#include <string>
#include <string_view>

#include "app/node_stats.hpp"

namespace carillon::app {

// The node at `admin` as lines for people.
[[nodiscard]] std::string node_stats_text(std::string_view admin, const NodeStats& stats);

}  // namespace carillon::app
