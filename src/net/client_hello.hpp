#pragma once

#include <string_view>

namespace carillon::net {

enum class HelloFault { none, excessive, repeated_extension };

// Looks at a TLS ClientHello, a whole handshake message with its four bytes of header, for what OpenSSL lets pass
// (cases.md A8): more bytes or extensions than any client needs, and an unknown extension given twice (RFC 8446 4.2).
// What is malformed otherwise counts as no fault: OpenSSL refuses it.
[[nodiscard]] HelloFault check_client_hello(std::string_view message);

}  // namespace carillon::net
