#pragma once

#include <expected>
#include <memory>
#include <string_view>

#include "auth/options.hpp"
#include "auth/token_fault.hpp"
#include "base/clock.hpp"
#include "event/principal.hpp"

namespace carillon::auth {

class KeySet;

// Says whose token this is, or why it is nobody's (protocol 2.1). Immutable: any number of threads may verify at once.
// Does no I/O; what a token costs is bounded by its size and by KeySet::kTriesMax signature checks.
class Verifier {
 public:
  Verifier(Options options, std::shared_ptr<const KeySet> keys);

  // The time decides about exp, nbf and iat. `expires_at` is the claim without leeway, to the second, and at most the
  // end of the year 9999, which is as far as the wire's timestamps go.
  [[nodiscard]] std::expected<Principal, TokenFault> verify(std::string_view token, WallTime now) const;

 private:
  Options options_;
  std::shared_ptr<const KeySet> keys_;
};

}  // namespace carillon::auth
