#include "net/tls_context.hpp"

#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <cstring>
#include <string_view>

#include "base/ensure.hpp"
#include "net/client_hello.hpp"

namespace carillon::net {

namespace {

// The first error is the cause; those after it say who passed it on.
std::string openssl_reason() {
  const unsigned long code = ERR_peek_error();
  ERR_clear_error();
  if (ERR_SYSTEM_ERROR(code)) return std::strerror(ERR_GET_REASON(code));
  const char* reason = code != 0 ? ERR_reason_error_string(code) : nullptr;
  return reason != nullptr ? reason : "unknown reason";
}

std::unexpected<Error> refuse(const std::filesystem::path& file, const std::string& why) {
  return fail(ErrorKind::invalid, file.string() + ": " + why);
}

// OpenSSL shows the raw message only here, and takes a refusal only in the callback after it.
void look_at_message(int is_ours, int, int content_type, const void* message, std::size_t size, SSL* ssl, void*) {
  if (is_ours != 0 || content_type != SSL3_RT_HANDSHAKE || size == 0) return;
  static int too_much = SSL_AD_DECODE_ERROR, repeated = SSL_AD_ILLEGAL_PARAMETER;
  const std::string_view bytes(static_cast<const char*>(message), size);
  if (bytes.front() == SSL3_MT_CLIENT_HELLO) {
    const HelloFault fault = check_client_hello(bytes);
    if (fault != HelloFault::none) SSL_set_app_data(ssl, fault == HelloFault::excessive ? &too_much : &repeated);
  }
  // The handshake's last message: from now on this would only be in the way of every record.
  if (bytes.front() == SSL3_MT_FINISHED) SSL_set_msg_callback(ssl, nullptr);
}

int answer_client_hello(SSL* ssl, int* alert, void*) {
  const void* const fault = SSL_get_app_data(ssl);
  if (fault == nullptr) return SSL_CLIENT_HELLO_SUCCESS;
  *alert = *static_cast<const int*>(fault);
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
  // The cheapest first: a record costs what its cipher costs, and 128 bits are enough for all of them.
  SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256");
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
  SSL_CTX_set_msg_callback(context, look_at_message);
  SSL_CTX_set_client_hello_cb(context, answer_client_hello, nullptr);

  // Otherwise OpenSSL asks the terminal for the password of an encrypted key.
  SSL_CTX_set_default_passwd_cb(context, [](char*, int, int, void*) { return -1; });
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
