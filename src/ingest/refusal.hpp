#pragma once

#include "base/result.hpp"
#include "net/http_server.hpp"

namespace carillon::ingest {

// How a caller is told that the log refused (protocol 8.5): what to do, and not what went wrong inside, which is for
// our own log.
[[nodiscard]] inline net::HttpResponse refusal_of(const Error& error) {
  switch (error.kind) {
    case ErrorKind::conflict:
      return net::problem(409, error.message);
    case ErrorKind::full:
      return net::problem(503, "the log has no room now; nothing was accepted");
    case ErrorKind::unavailable:
      return net::problem(503, "the log failed; the outcome is unknown, repeating the call with the same ids is safe");
    default:
      return net::problem(500, "the log failed");
  }
}

}  // namespace carillon::ingest
