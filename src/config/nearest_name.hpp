#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace carillon::config {

// The known name that was probably meant; empty when none is near.
[[nodiscard]] std::string nearest_name(std::string_view name, const std::vector<std::string>& known);

}  // namespace carillon::config
