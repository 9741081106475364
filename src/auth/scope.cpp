#include "auth/scope.hpp"

namespace carillon::auth {

Grants scope_grants(std::string_view scope) {
  Grants grants;
  while (!scope.empty()) {
    const std::size_t end = scope.find(' ');
    if (const auto named = grant(scope.substr(0, end))) grants.add(*named);
    if (end == std::string_view::npos) break;
    scope.remove_prefix(end + 1);
  }
  return grants;
}

}  // namespace carillon::auth
