#pragma once

#include <string_view>

namespace carillon::app {

// "0.1.0", as CMakeLists.txt says it.
[[nodiscard]] std::string_view version();

}  // namespace carillon::app
