#include "load/target.hpp"

#include <utility>

#include "base/clock.hpp"
#include "base/ensure.hpp"

namespace carillon::bench {

Result<Target> Target::load(const std::string& endpoint, const std::filesystem::path& ca_file,
                            const std::filesystem::path& secret_file) {
  auto address = net::Endpoint::parse(endpoint);
  if (!address) return std::unexpected(address.error());
  auto tls = net::TlsContext::client(ca_file);
  if (!tls) return std::unexpected(tls.error());
  if (secret_file.empty()) return Target(*address, std::move(*tls), std::nullopt);
  auto minter = auth::Minter::load(auth::Algorithm::hs256, secret_file);
  if (!minter) return std::unexpected(minter.error());
  return Target(*address, std::move(*tls), std::move(*minter));
}

std::string Target::token(const std::string& user, std::optional<std::string> scope) const {
  ensure(minter_.has_value(), "tokens are made with a secret");
  auth::TokenRequest request;
  request.user_id = user;
  request.scope = std::move(scope);
  auto token = minter_->mint(request, SystemClock().wall_now());
  ensure(token.has_value(), "a token for a plain name can be made");
  return std::move(*token);
}

}  // namespace carillon::bench
