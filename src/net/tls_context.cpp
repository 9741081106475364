#include "net/tls_context.hpp"

#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <cstdio>

#include "base/ensure.hpp"

namespace carillon::net {

namespace {

// A hello larger than this serves nobody: browsers with post-quantum key shares send 2 KiB (cases.md A8).
constexpr std::size_t kClientHelloBytesMax = 16 * 1024;
constexpr std::size_t kClientHelloExtensionsMax = 64;

std::string openssl_reason() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = code != 0 ? ERR_reason_error_string(code) : nullptr;
  return reason != nullptr ? reason : "unknown reason";
}

std::unexpected<Error> refuse(const std::filesystem::path& file, const std::string& why) {
  return fail(ErrorKind::invalid, file.string() + ": " + why);
}

int check_client_hello(SSL* ssl, int* alert, void*) {
  int* types = nullptr;
  std::size_t count = 0;
  if (SSL_client_hello_get1_extensions_present(ssl, &types, &count) != 1) count = 0;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const unsigned char* data = nullptr;
    std::size_t size = 0;
    if (SSL_client_hello_get0_ext(ssl, static_cast<unsigned>(types[i]), &data, &size) == 1) bytes += size;
  }
  OPENSSL_free(types);
  if (bytes <= kClientHelloBytesMax && count <= kClientHelloExtensionsMax) return SSL_CLIENT_HELLO_SUCCESS;
  *alert = SSL_AD_DECODE_ERROR;
  return SSL_CLIENT_HELLO_ERROR;
}

Result<> check_expiry(SSL_CTX* context, const std::filesystem::path& file) {
  const X509* leaf = SSL_CTX_get0_certificate(context);
  if (leaf == nullptr) return refuse(file, "holds no certificate");
  if (X509_cmp_current_time(X509_get0_notAfter(leaf)) < 0) return refuse(file, "the certificate has expired");
  return {};
}

void set_common(SSL_CTX* context) {
  // Buffers are only held while a record is under way: most connections are idle most of the time.
  SSL_CTX_set_mode(context,
                   SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}

}  // namespace

void TlsContext::Free::operator()(ssl_ctx_st* context) const {
  SSL_CTX_free(context);
}

TicketKeys make_ticket_keys() {
  TicketKeys keys{};
  ensure(RAND_bytes(keys.data(), static_cast<int>(keys.size())) == 1, "the system gives random bytes");
  return keys;
}

Result<TlsContext> TlsContext::server(const TlsOptions& options, const TicketKeys& ticket_keys) {
  TlsContext result(SSL_CTX_new(TLS_server_method()));
  SSL_CTX* const context = result.get();
  ensure(context != nullptr, "OpenSSL makes a context");
  set_common(context);
  SSL_CTX_set_min_proto_version(context, options.allow_tls12 ? TLS1_2_VERSION : TLS1_3_VERSION);
  SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20");
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_COMPRESSION |
                                   SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_max_early_data(context, 0);
  // Stateless tickets only; one per handshake, because clients without TCP_NODELAY stall when none comes.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 1);
  static constexpr unsigned char kSessionContext[] = "carillon";
  SSL_CTX_set_session_id_context(context, kSessionContext, sizeof kSessionContext - 1);
  TicketKeys keys = ticket_keys;
  SSL_CTX_set_tlsext_ticket_keys(context, keys.data(), static_cast<long>(keys.size()));
  SSL_CTX_set_client_hello_cb(context, check_client_hello, nullptr);

  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(context, options.certificate.c_str()) != 1)
    return refuse(options.certificate, "cannot be used as a certificate chain: " + openssl_reason());
  if (SSL_CTX_use_PrivateKey_file(context, options.private_key.c_str(), SSL_FILETYPE_PEM) != 1)
    return refuse(options.private_key, "cannot be used as the private key: " + openssl_reason());
  if (SSL_CTX_check_private_key(context) != 1)
    return refuse(options.private_key, "does not belong to " + options.certificate.string());
  if (auto valid = check_expiry(context, options.certificate); !valid) return std::unexpected(valid.error());
  return result;
}

Result<TlsContext> TlsContext::client(const std::filesystem::path& ca_file) {
  TlsContext result(SSL_CTX_new(TLS_client_method()));
  SSL_CTX* const context = result.get();
  ensure(context != nullptr, "OpenSSL makes a context");
  set_common(context);
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  if (ca_file.empty()) return result;
  ERR_clear_error();
  if (SSL_CTX_load_verify_locations(context, ca_file.c_str(), nullptr) != 1)
    return refuse(ca_file, "cannot be used as a certificate authority: " + openssl_reason());
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  return result;
}

ssl_st* TlsContext::new_connection() const {
  return SSL_new(context_.get());
}

}  // namespace carillon::net
