#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"

namespace carillon::config {

struct Finding {
  std::string_view key;
  std::string message;
  bool is_warning = false;
};

// What no single key shows: files that are missing or open to others, keys that contradict each other.
[[nodiscard]] std::vector<Finding> check(Config& config);

}  // namespace carillon::config
