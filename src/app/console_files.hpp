#pragma once

#include <memory>

#include "admin/static_files.hpp"
#include "base/result.hpp"
#include "config/config.hpp"

namespace carillon::app {

// The console's pages as `[console]` of the configuration chooses them; null: none are served, and the log says why.
[[nodiscard]] Result<std::shared_ptr<const admin::StaticFiles>> load_console(const config::Config::Console& config);

}  // namespace carillon::app
