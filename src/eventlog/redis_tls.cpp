#include "eventlog/redis_tls.hpp"

#ifdef CARILLON_REDIS_TLS

#include <fmt/format.h>
#include <hiredis/hiredis.h>
#include <hiredis/hiredis_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <memory>
#include <string>

namespace carillon::eventlog {
namespace {

struct Free {
  void operator()(SSL_CTX* context) const { ::SSL_CTX_free(context); }
  void operator()(SSL* ssl) const { ::SSL_free(ssl); }
};
using Context = std::unique_ptr<SSL_CTX, Free>;
using Ssl = std::unique_ptr<SSL, Free>;

std::unexpected<Error> cannot_read(const std::string& file) {
  ::ERR_clear_error();
  return fail(ErrorKind::invalid, fmt::format("cannot use {} for TLS to Redis", file));
}

Result<Context> make_context(const BrokerAccess& access) {
  Context context(::SSL_CTX_new(::TLS_client_method()));
  if (context == nullptr) return fail(ErrorKind::internal, "no memory for TLS to Redis");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  ::SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  if (access.ca_file.empty()) {
    ::SSL_CTX_set_default_verify_paths(context.get());
  } else if (::SSL_CTX_load_verify_file(context.get(), access.ca_file.c_str()) != 1) {
    return cannot_read(access.ca_file);
  }
  if (access.certificate.empty()) return context;
  if (::SSL_CTX_use_certificate_chain_file(context.get(), access.certificate.c_str()) != 1) {
    return cannot_read(access.certificate);
  }
  if (::SSL_CTX_use_PrivateKey_file(context.get(), access.private_key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      ::SSL_CTX_check_private_key(context.get()) != 1) {
    return cannot_read(access.private_key);
  }
  return context;
}

// hiredis checks the authority alone; whose certificate it is, is for us to ask.
bool expect_host(SSL& ssl, const std::string& host) {
  if (::X509_VERIFY_PARAM_set1_ip_asc(::SSL_get0_param(&ssl), host.c_str()) == 1) return true;
  ::ERR_clear_error();
  return ::SSL_set1_host(&ssl, host.c_str()) == 1 && SSL_set_tlsext_host_name(&ssl, host.c_str()) == 1;
}

}  // namespace

bool has_redis_tls() {
  return true;
}

Result<> start_redis_tls(redisContext& connection, const BrokerUrl& server, const BrokerAccess& access) {
  Result<Context> context = make_context(access);
  if (!context) return std::unexpected(context.error());
  Ssl ssl(::SSL_new(context->get()));
  if (ssl == nullptr || !expect_host(*ssl, server.host)) return fail(ErrorKind::internal, "no memory for TLS to Redis");
  if (::redisInitiateSSL(&connection, ssl.get()) == REDIS_OK) {
    (void)ssl.release();  // the connection's now
    return {};
  }
  const auto verified = ::SSL_get_verify_result(ssl.get());
  const std::string why = verified == X509_V_OK ? connection.errstr : ::X509_verify_cert_error_string(verified);
  return fail(verified == X509_V_OK ? ErrorKind::unavailable : ErrorKind::denied,
              fmt::format("Redis at {}: TLS: {}", server.address(), why));
}

}  // namespace carillon::eventlog

#else

namespace carillon::eventlog {

bool has_redis_tls() {
  return false;
}

Result<> start_redis_tls(redisContext& /*connection*/, const BrokerUrl& /*server*/, const BrokerAccess& /*access*/) {
  return fail(ErrorKind::invalid, "this build has no TLS for Redis: its hiredis came without hiredis_ssl");
}

}  // namespace carillon::eventlog

#endif
