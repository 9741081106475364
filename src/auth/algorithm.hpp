#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <vector>

namespace carillon::auth {

// The signature algorithms of protocol 2.1, by their names in RFC 7518 and RFC 8037. There is no `none`.
enum class Algorithm : std::uint8_t {
  hs256,
  hs384,
  hs512,
  rs256,
  rs384,
  rs512,
  ps256,
  ps384,
  ps512,
  es256,
  es384,
  eddsa
};

inline constexpr std::array kAlgorithms = {Algorithm::hs256, Algorithm::hs384, Algorithm::hs512, Algorithm::rs256,
                                           Algorithm::rs384, Algorithm::rs512, Algorithm::ps256, Algorithm::ps384,
                                           Algorithm::ps512, Algorithm::es256, Algorithm::es384, Algorithm::eddsa};

[[nodiscard]] std::string_view to_string(Algorithm algorithm);
// Exact names only: "none", "hs256" and "ES512" are nothing.
[[nodiscard]] std::optional<Algorithm> algorithm_from_name(std::string_view name);
// The hash that goes with it, as OpenSSL calls it; null for EdDSA, which hashes by itself.
[[nodiscard]] const char* digest_name(Algorithm algorithm);

class AlgorithmSet {
 public:
  constexpr AlgorithmSet() = default;
  constexpr AlgorithmSet(std::initializer_list<Algorithm> list) {
    for (const Algorithm algorithm : list) add(algorithm);
  }
  explicit constexpr AlgorithmSet(const std::vector<Algorithm>& list) {
    for (const Algorithm algorithm : list) add(algorithm);
  }
  constexpr void add(Algorithm algorithm) { bits_ = static_cast<std::uint16_t>(bits_ | bit(algorithm)); }
  [[nodiscard]] constexpr bool has(Algorithm algorithm) const { return (bits_ & bit(algorithm)) != 0; }
  [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }
  // What both sets have.
  [[nodiscard]] constexpr AlgorithmSet operator&(AlgorithmSet other) const {
    AlgorithmSet both;
    both.bits_ = static_cast<std::uint16_t>(bits_ & other.bits_);
    return both;
  }
  constexpr bool operator==(const AlgorithmSet&) const = default;

 private:
  static constexpr std::uint16_t bit(Algorithm algorithm) {
    return static_cast<std::uint16_t>(1U << static_cast<unsigned>(algorithm));
  }
  std::uint16_t bits_ = 0;
};

inline constexpr AlgorithmSet kHmacAlgorithms{Algorithm::hs256, Algorithm::hs384, Algorithm::hs512};
inline constexpr AlgorithmSet kRsaAlgorithms{Algorithm::rs256, Algorithm::rs384, Algorithm::rs512,
                                             Algorithm::ps256, Algorithm::ps384, Algorithm::ps512};
inline constexpr AlgorithmSet kPssAlgorithms{Algorithm::ps256, Algorithm::ps384, Algorithm::ps512};
inline constexpr AlgorithmSet kEcdsaAlgorithms{Algorithm::es256, Algorithm::es384};

}  // namespace carillon::auth
