#pragma once

#include <optional>
#include <string_view>

#include "event/principal.hpp"

namespace carillon::auth {

// signals, orders, alerts, publish, admin (protocol 2.5); nothing for any other word.
[[nodiscard]] std::optional<Grant> grant_from_word(std::string_view word);

// The grants that a scope names: words separated by spaces (RFC 8693 4.2). Words that are not ours are ignored.
[[nodiscard]] Grants scope_grants(std::string_view scope);

}  // namespace carillon::auth
