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
  const auto token = head.bearer_token();
  if (!token) return unauthorized({"missing_token", "a bearer token is required"}, now);
  auto principal = verifier.verify(*token, now);
  if (!principal) return unauthorized(principal.error(), now);
  if (principal->grants.has(required)) return std::move(*principal);
  auto response = net::problem(
      403, required == Grant::publish ? "the token lacks the grant publish" : "the token lacks the grant admin");
  response.fields.emplace_back("WWW-Authenticate", "Bearer error=\"insufficient_scope\"");
  return std::unexpected(std::move(response));
}

}  // namespace carillon::ingest
