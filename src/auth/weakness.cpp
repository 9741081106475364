#include "auth/weakness.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <string_view>

#include "auth/openssl_types.hpp"
#include "base/ensure.hpp"

namespace carillon::auth {

namespace {

using Number = std::unique_ptr<BIGNUM, Release<BN_free>>;
using NumberContext = std::unique_ptr<BN_CTX, Release<BN_CTX_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Release<EVP_PKEY_CTX_free>>;

constexpr int kRsaBitsMin = 2048;
constexpr int kRsaBitsMax = 16384;    // OpenSSL verifies with no longer ones
constexpr int kExponentBitsMax = 64;  // nor, for long moduli, with larger exponents

Number number_of(const EvpKey& key, const char* parameter) {
  BIGNUM* number = nullptr;
  ensure(EVP_PKEY_get_bn_param(key.get(), parameter, &number) == 1, "an RSA key has its two numbers");
  return Number(number);
}

Number number_from_hex(const char* hex) {
  BIGNUM* number = nullptr;
  ensure(BN_hex2bn(&number, hex) > 0, "a constant is a number");
  return Number(number);
}

// Whether the modulus is a power of 65537 modulo each of many small primes, as only the products of the generator of
// CVE-2017-15361 are (chance for another key: under 2^-27). Such a modulus can be factored.
bool has_roca_shape(const BIGNUM* modulus) {
  static constexpr std::array<unsigned, 38> kPrimes = {3,   5,   7,   11,  13,  17,  19,  23,  29,  31,  37,  41,  43,
                                                       47,  53,  59,  61,  67,  71,  73,  79,  83,  89,  97,  101, 103,
                                                       107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167};
  return std::ranges::all_of(kPrimes, [modulus](unsigned prime) {
    const BN_ULONG rest = BN_mod_word(modulus, prime);
    BN_ULONG power = 1;
    do {
      if (power == rest) return true;
      power = power * 65537 % prime;
    } while (power != 1);
    return false;
  });
}

std::optional<std::string> rsa_weakness(const EvpKey& key) {
  const Number modulus = number_of(key, OSSL_PKEY_PARAM_RSA_N);
  const Number exponent = number_of(key, OSSL_PKEY_PARAM_RSA_E);
  const int bits = BN_num_bits(modulus.get());
  if (bits < kRsaBitsMin) return "has " + std::to_string(bits) + " bits; RSA needs at least 2048";
  if (bits > kRsaBitsMax) return "has " + std::to_string(bits) + " bits; at most 16384 can be verified";
  if (BN_is_odd(exponent.get()) == 0) return "has an even public exponent";
  if (BN_is_one(exponent.get()) == 1) return "has the public exponent 1";
  if (BN_num_bits(exponent.get()) > kExponentBitsMax) return "has a public exponent of more than 64 bits";
  if (has_roca_shape(modulus.get())) return "comes from a generator whose keys can be factored (CVE-2017-15361)";
  return std::nullopt;
}

// RFC 8032 5.1.3, but for the root itself: y stands for a point when (y^2 - 1) / (d y^2 + 1) is a square modulo p.
std::optional<std::string> ed25519_weakness(const EvpKey& key) {
  static constexpr auto kPrime = "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed";
  static constexpr auto kD = "52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3";
  // The ordinates of the eight points whose order divides 8, with 0, 1 and -1 of RFC 7748's list written as such.
  static constexpr std::array kSmallOrder = {"0", "1",
                                             "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffec",
                                             "7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7",
                                             "05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826"};

  std::array<unsigned char, 32> encoded{};
  std::size_t size = encoded.size();
  ensure(EVP_PKEY_get_raw_public_key(key.get(), encoded.data(), &size) == 1, "an Ed25519 key has its 32 bytes");
  encoded.back() &= 0x7F;  // the sign of x
  const Number y(BN_lebin2bn(encoded.data(), static_cast<int>(encoded.size()), nullptr));
  const Number p = number_from_hex(kPrime);
  if (BN_cmp(y.get(), p.get()) >= 0) return "is not encoded as RFC 8032 asks";
  for (const char* ordinate : kSmallOrder)
    if (BN_cmp(y.get(), number_from_hex(ordinate).get()) == 0)
      return "is a point of small order, for which anyone can make signatures";

  const NumberContext context(BN_CTX_new());
  const Number u(BN_new());
  const Number v(BN_new());
  const Number product(BN_new());
  const Number d = number_from_hex(kD);
  ensure(BN_mod_sqr(u.get(), y.get(), p.get(), context.get()) == 1 &&
             BN_mod_mul(v.get(), d.get(), u.get(), p.get(), context.get()) == 1 && BN_add_word(v.get(), 1) == 1 &&
             BN_sub_word(u.get(), 1) == 1 && BN_mod_mul(product.get(), u.get(), v.get(), p.get(), context.get()) == 1,
         "OpenSSL computes");
  if (BN_kronecker(product.get(), p.get(), context.get()) != 1) return "is not a point of the curve Ed25519";
  return std::nullopt;
}

bool passes_openssl(const EvpKey& key) {
  const KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  const bool passes = context != nullptr && EVP_PKEY_public_check(context.get()) == 1;
  ERR_clear_error();
  return passes;
}

}  // namespace

std::optional<std::string> weakness(const EvpKey& key) {
  const AlgorithmSet algorithms = algorithms_of(key);
  if (algorithms.empty()) return "is of the type " + type_of(key) + "; RSA, EC P-256, EC P-384 and Ed25519 can be used";
  std::optional<std::string> weak;
  if (algorithms == kRsaAlgorithms) weak = rsa_weakness(key);
  if (algorithms.has(Algorithm::eddsa)) weak = ed25519_weakness(key);
  if (!weak && !passes_openssl(key)) weak = "is not a valid key of its type (" + type_of(key) + ")";
  return weak;
}

}  // namespace carillon::auth
