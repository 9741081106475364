#pragma once

#include <cstdio>
#include <cstdlib>
#include <source_location>

namespace carillon {

// Stops the process when an invariant is broken: a wrong delivery is worse than a restart, which loses nothing.
inline void ensure(bool holds, const char* what, std::source_location where = std::source_location::current()) {
  if (holds) [[likely]]
    return;
  std::fprintf(stderr, "carillon: invariant broken: %s (%s:%u)\n", what, where.file_name(), where.line());
  std::abort();
}

}  // namespace carillon
