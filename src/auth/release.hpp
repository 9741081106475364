#pragma once

namespace carillon::auth {

// The deleter that calls a C library's own function: std::unique_ptr<BIGNUM, Release<BN_free>>.
template <auto release>
struct Release {
  template <class T>
  void operator()(T* object) const {
    release(object);
  }
};

}  // namespace carillon::auth
