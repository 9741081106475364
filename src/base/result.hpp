#pragma once

#include <expected>
#include <string>
#include <utility>

namespace carillon {

// What went wrong, as far as a caller decides by it. The text is for people and never holds a token, key or payload.
enum class ErrorKind {
  invalid,      // the input is wrong; repeating it cannot help
  conflict,     // contradicts what is already there (same id, other content)
  not_found,    //
  denied,       // known, and not allowed
  unavailable,  // may work later
  full,         // a bound was reached; may work later
  corrupt,      // stored data is damaged or foreign
  internal,     // our fault
};

struct Error {
  ErrorKind kind = ErrorKind::internal;
  std::string message;
};

// Expected trouble is a value. Nothing in this project throws on purpose.
template <class T = void>
using Result = std::expected<T, Error>;

[[nodiscard]] inline std::unexpected<Error> fail(ErrorKind kind, std::string message) {
  return std::unexpected<Error>(Error{kind, std::move(message)});
}

}  // namespace carillon
