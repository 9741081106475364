#pragma once

#include <string_view>

// What the files that call OpenSSL share, without its headers.
namespace carillon::auth {

// The deleter that calls the library's own function: std::unique_ptr<BIGNUM, Release<BN_free>>.
template <auto release>
struct Release {
  template <class T>
  void operator()(T* object) const {
    release(object);
  }
};

inline const unsigned char* octets(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

}  // namespace carillon::auth
