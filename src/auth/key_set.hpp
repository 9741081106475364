#pragma once

#include <cstddef>
#include <expected>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "auth/algorithm.hpp"
#include "auth/key.hpp"
#include "auth/options.hpp"
#include "auth/token_fault.hpp"
#include "base/result.hpp"

namespace carillon::auth {

// The keys that may have signed a token, each bound to the algorithms of its type. Immutable; any thread.
class KeySet {
 public:
  static constexpr std::size_t kKeysMax = 100;
  // Signature checks that one token can cause: a flood of bad tokens must not be multiplied by the number of keys.
  static constexpr std::size_t kTriesMax = 8;

  // Reads all files that the options name. Keys that cannot be used are skipped with a logged warning; a weak or broken
  // key, a private one, a file that cannot be read, and an enabled algorithm that no key serves are errors, whose
  // message names the file. Blocks on disk.
  [[nodiscard]] static Result<std::shared_ptr<const KeySet>> load(const Options& options);

  KeySet(AlgorithmSet enabled, std::vector<Key> keys);

  // Whether one of the keys that fit made `signature` over `message`. Those that fit serve the algorithm and have the
  // token's kid; a key that came without a kid fits any token, and a token without a kid fits any key.
  [[nodiscard]] std::expected<void, TokenFault> check(Algorithm algorithm, std::optional<std::string_view> kid,
                                                      std::string_view message, std::string_view signature) const;

 private:
  AlgorithmSet enabled_;
  std::vector<Key> keys_;
};

}  // namespace carillon::auth
