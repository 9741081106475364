#include "auth/scope.hpp"

namespace carillon::auth {

std::optional<Grant> grant_from_word(std::string_view word) {
  if (word == "signals") return Grant::signals;
  if (word == "orders") return Grant::orders;
  if (word == "alerts") return Grant::alerts;
  if (word == "publish") return Grant::publish;
  if (word == "admin") return Grant::admin;
  return std::nullopt;
}

Grants scope_grants(std::string_view scope) {
  Grants grants;
  while (!scope.empty()) {
    const std::size_t end = scope.find(' ');
    if (const auto grant = grant_from_word(scope.substr(0, end))) grants.add(*grant);
    if (end == std::string_view::npos) break;
    scope.remove_prefix(end + 1);
  }
  return grants;
}

}  // namespace carillon::auth
