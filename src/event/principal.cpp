#include "event/principal.hpp"

namespace carillon {

std::string_view to_string(Grant grant) {
  switch (grant) {
    case Grant::signals:
      return "signals";
    case Grant::orders:
      return "orders";
    case Grant::alerts:
      return "alerts";
    case Grant::publish:
      return "publish";
    case Grant::admin:
      return "admin";
  }
  return {};
}

std::optional<Grant> grant(std::string_view word) {
  for (const Grant candidate : kGrants)
    if (to_string(candidate) == word) return candidate;
  return std::nullopt;
}

}  // namespace carillon
