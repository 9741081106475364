#include "app/token_command.hpp"

#include <cstdio>
#include <span>
#include <vector>

#include "app/complaint.hpp"
#include "auth/minter.hpp"
#include "auth/options.hpp"
#include "base/clock.hpp"
#include "config/config.hpp"

namespace carillon::app {
namespace {

using auth::Algorithm;

// A key serves some algorithms only; the first of `candidates` that it serves is taken.
Result<auth::Minter> load_minter(const std::filesystem::path& key, std::span<const Algorithm> candidates,
                                 const std::string& kid) {
  Result<auth::Minter> minter = fail(ErrorKind::invalid, "no algorithm to sign with");
  for (const Algorithm algorithm : candidates) {
    minter = auth::Minter::load(algorithm, key, kid);
    if (minter) return minter;
  }
  return minter;
}

std::vector<Algorithm> candidates_of(const TokenCommand& command, const auth::Options& options, bool is_secret) {
  if (command.algorithm) return {*command.algorithm};
  std::vector<Algorithm> candidates;
  const bool has_config = !command.config.empty();
  for (const Algorithm algorithm : has_config ? std::span<const Algorithm>(options.algorithms) : auth::kAlgorithms)
    if (auth::kHmacAlgorithms.has(algorithm) == is_secret) candidates.push_back(algorithm);
  return candidates;
}

auth::TokenRequest request_of(const TokenCommand& command, const auth::Options& options) {
  auth::TokenRequest request;
  request.user_id = command.user;
  request.scope = command.scope;
  request.issuer = command.issuer.value_or(options.issuer);
  request.audience = command.audience.value_or(options.audience);
  request.lifetime = command.ttl;
  request.user_claim = options.user_claim;
  request.scope_claim = options.scope_claim;
  return request;
}

}  // namespace

int run(const TokenCommand& command) {
  auth::Options options;
  if (!command.config.empty()) {
    const auto config = config::load(command.config, config::environment_of_process());
    if (!config) {
      for (const config::ConfigFault& fault : config.error()) complain(fault.to_string());
      return kExitFailed;
    }
    options = config->auth.tokens;
  }
  const bool is_secret = command.private_key.empty();
  const std::filesystem::path key = !is_secret                    ? command.private_key
                                    : command.secret_file.empty() ? options.hmac_secret_file
                                                                  : command.secret_file;
  if (key.empty()) return complain("the configuration names no secret; sign with --private-key");
  const auto minter = load_minter(key, candidates_of(command, options, is_secret), command.kid);
  if (!minter) return complain(minter.error().message);
  const auto token = minter->mint(request_of(command, options), SystemClock().wall_now());
  if (!token) return complain(token.error().message);
  std::printf("%s\n", token->c_str());
  return kExitOk;
}

}  // namespace carillon::app
