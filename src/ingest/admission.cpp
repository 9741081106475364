#include "ingest/admission.hpp"

#include "protocol/server_message.hpp"

namespace carillon::ingest {

namespace {

std::unexpected<net::HttpResponse> unauthorized(const auth::TokenFault& fault, WallTime now) {
  net::HttpResponse response;
  response.status = 401;
  response.body = protocol::encode_error("auth_failed", fault.code, fault.message, now);
  response.fields.emplace_back("WWW-Authenticate",
                               fault.code == "missing_token" ? "Bearer" : "Bearer error=\"invalid_token\"");
  return std::unexpected(std::move(response));
}

}  // namespace

std::expected<Principal, net::HttpResponse> admit(const net::HttpHead& head, const auth::Verifier& verifier,
                                                  Grant required, WallTime now) {
  if (head.count("authorization") > 1) return std::unexpected(net::problem(400, "more than one Authorization"));
  auto principal = admit(head.bearer_token(), verifier, required, now);
  if (principal) return std::move(*principal);
  const Denial& denial = principal.error();
  if (!denial.is_known) return unauthorized(denial.fault, now);
  auto response = net::problem(403, denial.fault.message);
  response.fields.emplace_back("WWW-Authenticate", "Bearer error=\"insufficient_scope\"");
  return std::unexpected(std::move(response));
}

std::expected<Principal, Denial> admit(std::optional<std::string_view> token, const auth::Verifier& verifier,
                                       Grant required, WallTime now) {
  if (!token) return std::unexpected(Denial{false, {"missing_token", "a bearer token is required"}});
  auto principal = verifier.verify(*token, now);
  if (!principal) return std::unexpected(Denial{false, std::move(principal.error())});
  if (principal->grants.has(required)) return std::move(*principal);
  return std::unexpected(
      Denial{true, {"insufficient_scope", "the token lacks the grant " + std::string(to_string(required))}});
}

}  // namespace carillon::ingest
