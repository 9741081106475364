#include "auth/secret.hpp"

#include <openssl/crypto.h>

#include <utility>

namespace carillon::auth {

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this == &other) return *this;
  wipe();
  bytes_ = std::move(other.bytes_);
  other.wipe();
  return *this;
}

// The whole capacity: a short string that was moved from keeps its bytes inside the object.
void Secret::wipe() {
  bytes_.resize(bytes_.capacity());
  OPENSSL_cleanse(bytes_.data(), bytes_.size());
  bytes_.clear();
}

}  // namespace carillon::auth
