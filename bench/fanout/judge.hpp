#pragma once

#include <cstdint>
#include <string_view>

#include "base/clock.hpp"

namespace carillon::bench {

// Whom every message of every client goes to, on the clients' thread.
class Judge {
 public:
  virtual void on_message(std::uint32_t client, std::string_view text, MonoTime now) = 0;

 protected:
  ~Judge() = default;
};

}  // namespace carillon::bench
