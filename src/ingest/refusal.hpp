#pragma once

#include <string>

#include "base/result.hpp"
#include "net/http_server.hpp"

namespace carillon::ingest {

// What a caller is told when the log refused (protocol 8.5): what to do, and not what went wrong inside, which is for
// our own log.
[[nodiscard]] inline std::string explanation_of(const Error& error) {
  switch (error.kind) {
    case ErrorKind::conflict:
      return error.message;
    case ErrorKind::full:
      return "the log has no room now; nothing was accepted";
    case ErrorKind::unavailable:
      return "the log failed; the outcome is unknown, repeating the call with the same ids is safe";
    default:
      return "the log failed";
  }
}

[[nodiscard]] inline net::HttpResponse refusal_of(const Error& error) {
  if (error.kind == ErrorKind::conflict) return net::problem(409, explanation_of(error));
  const bool is_temporary = error.kind == ErrorKind::full || error.kind == ErrorKind::unavailable;
  return net::problem(is_temporary ? 503 : 500, explanation_of(error));
}

}  // namespace carillon::ingest
