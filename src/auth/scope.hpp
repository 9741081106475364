#pragma once

#include <string_view>

#include "event/principal.hpp"

namespace carillon::auth {

// The grants that a scope names (protocol 2.5): words separated by spaces (RFC 8693 4.2). Words that are not ours are
// ignored.
[[nodiscard]] Grants scope_grants(std::string_view scope);

}  // namespace carillon::auth
