#pragma once

#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"

// Certificates for development: ECDSA P-256, X.509 version 3. What a product runs with comes from its operator's
// authority.
namespace carillon::app {

// Both PEM.
struct CertifiedKey {
  std::string certificate;
  std::string private_key;
};

// A self-signed authority that may sign servers only, for ten years.
[[nodiscard]] Result<CertifiedKey> make_authority(WallTime now);
// For localhost, 127.0.0.1 and ::1, signed by `authority`, for 90 days.
[[nodiscard]] Result<CertifiedKey> make_server_certificate(const CertifiedKey& authority, WallTime now);

// Whether the pair is readable, belongs together and is valid from now for at least `days`.
[[nodiscard]] bool is_usable(const CertifiedKey& pair, WallTime now, int days);
// Whether the authority's key signed the certificate.
[[nodiscard]] bool is_signed_by(std::string_view certificate, std::string_view authority);

}  // namespace carillon::app
