#include "auth/verifier.hpp"

#include <utility>

#include "auth/claims.hpp"
#include "auth/key_set.hpp"
#include "auth/signed_token.hpp"

namespace carillon::auth {

Verifier::Verifier(Options options, std::shared_ptr<const KeySet> keys)
    : options_(std::move(options)), keys_(std::move(keys)) {}

std::expected<Principal, TokenFault> Verifier::verify(std::string_view token, WallTime now) const {
  const auto payload = open_signed_token(token, *keys_, options_.token_bytes_max);
  if (!payload) return std::unexpected(payload.error());
  return read_claims(*payload, options_, now);
}

}  // namespace carillon::auth
