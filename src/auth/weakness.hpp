#pragma once

#include <optional>
#include <string>

#include "auth/evp_key.hpp"

namespace carillon::auth {

// Why a key must not be trusted, as the rest of a sentence about it; nothing when it may. RSA: under 2048 bits, an even
// or too small or large exponent, a modulus with small factors or of the shape that a broken generator left
// (CVE-2017-15361). EC: a point that is not on the curve. Ed25519: the same, and points of small order, for which
// anyone can make signatures. A key of any other type is nobody's and therefore refused. Costs some milliseconds.
[[nodiscard]] std::optional<std::string> weakness(const EvpKey& key);

}  // namespace carillon::auth
