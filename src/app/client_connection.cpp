#include "app/client_connection.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <poll.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "app/client_socket.hpp"
#include "net/address.hpp"
#include "net/tls_context.hpp"

namespace carillon::app {
namespace {

constexpr milliseconds kPatience{10'000};  // for the handshake and each write

std::string text_of(int error_number) {
  return std::error_code(error_number, std::generic_category()).message();
}

std::unexpected<Error> unreachable(const ServerUrl& server, const std::string& why) {
  return fail(ErrorKind::unavailable, "cannot reach https://" + server.authority() + ": " + why);
}

bool is_ip(const std::string& host) {
  return net::IpAddress::parse(host).has_value();
}

Result<net::TlsContext> make_context(const std::filesystem::path& ca_file) {
  auto context = net::TlsContext::client(ca_file);
  if (!context || !ca_file.empty()) return context;
  SSL_CTX_set_default_verify_paths(context->get());
  SSL_CTX_set_verify(context->get(), SSL_VERIFY_PEER, nullptr);
  return context;
}

// The certificate must name the host that was asked for.
void expect_host(SSL* ssl, const std::string& host) {
  if (is_ip(host)) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str());
  } else {
    SSL_set1_host(ssl, host.c_str());
    SSL_set_tlsext_host_name(ssl, host.c_str());
  }
}

}  // namespace

void ClientConnection::FreeSsl::operator()(ssl_st* ssl) const {
  SSL_free(ssl);
}

ClientConnection::ClientConnection(net::Fd socket, const Interrupt& interrupt)
    : interrupt_(&interrupt), socket_(std::move(socket)) {}
ClientConnection::ClientConnection(ClientConnection&&) noexcept = default;
ClientConnection& ClientConnection::operator=(ClientConnection&&) noexcept = default;
ClientConnection::~ClientConnection() = default;

Result<ClientConnection> ClientConnection::open(const ServerUrl& server, const std::filesystem::path& ca_file,
                                                const Interrupt& interrupt) {
  auto socket = connect_socket(server.host, server.port, interrupt);
  if (!socket) return unreachable(server, socket.error().message);
  ClientConnection connection(std::move(*socket), interrupt);
  if (auto shaken = connection.shake_hands(server, ca_file); !shaken) return std::unexpected(shaken.error());
  return connection;
}

Result<> ClientConnection::shake_hands(const ServerUrl& server, const std::filesystem::path& ca_file) {
  const auto context = make_context(ca_file);
  if (!context) return std::unexpected(context.error());
  ssl_.reset(context->new_connection());
  SSL_set_fd(ssl_.get(), socket_.get());
  expect_host(ssl_.get(), server.host);
  for (;;) {
    ERR_clear_error();
    const int result = SSL_connect(ssl_.get());
    if (result == 1) return {};
    if (can_go_on(result, kPatience)) continue;
    const long verified = SSL_get_verify_result(ssl_.get());
    if (verified == X509_V_OK) return unreachable(server, why_);
    return fail(ErrorKind::denied, "the certificate of https://" + server.authority() +
                                       " is not trusted: " + X509_verify_cert_error_string(verified) +
                                       (ca_file.empty() ? "; name its authority with --ca" : ""));
  }
}

bool ClientConnection::can_go_on(int result, milliseconds patience) {
  const int system_error = errno;
  const int code = SSL_get_error(ssl_.get(), result);
  if (code == SSL_ERROR_WANT_READ || code == SSL_ERROR_WANT_WRITE) {
    switch (interrupt_->wait_for(socket_.get(), code == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, patience)) {
      case Interrupt::Waited::ready:
        return true;
      case Interrupt::Waited::timeout:
        trouble_ = Trouble::timeout;
        why_ = "no answer in time";
        return false;
      case Interrupt::Waited::interrupted:
        trouble_ = Trouble::interrupted;
        why_ = "interrupted";
        return false;
    }
  }
  const unsigned long reason = ERR_peek_last_error();
  const bool is_end = code == SSL_ERROR_ZERO_RETURN || ERR_GET_REASON(reason) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
  trouble_ = is_end ? Trouble::ended : Trouble::broken;
  const char* named = ERR_reason_error_string(reason);
  why_ = is_end ? "the server closed the connection" : named != nullptr ? named : text_of(system_error);
  ERR_clear_error();
  return false;
}

Result<> ClientConnection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    std::size_t written = 0;
    ERR_clear_error();
    const int result = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &written);
    if (result == 1)
      bytes.remove_prefix(written);
    else if (!can_go_on(result, kPatience))
      return fail(ErrorKind::unavailable, why_);
  }
  return {};
}

Result<ClientConnection::Arrival> ClientConnection::receive(std::string& into, milliseconds patience) {
  std::array<char, 16 * 1024> buffer;
  for (;;) {
    std::size_t got = 0;
    ERR_clear_error();
    const int result = SSL_read_ex(ssl_.get(), buffer.data(), buffer.size(), &got);
    if (result == 1) {
      into.append(buffer.data(), got);
      return Arrival::bytes;
    }
    if (can_go_on(result, patience)) continue;
    switch (trouble_) {
      case Trouble::timeout:
      case Trouble::interrupted:
        return Arrival::nothing;
      case Trouble::ended:
        return Arrival::end;
      default:
        return fail(ErrorKind::unavailable, why_);
    }
  }
}

}  // namespace carillon::app
