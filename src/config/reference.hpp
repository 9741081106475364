#pragma once

#include <string>

namespace carillon::config {

// The text of docs/configuration.md: every row of the table, for operators.
[[nodiscard]] std::string reference_markdown();

}  // namespace carillon::config
