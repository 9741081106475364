#pragma once

#include <string>
#include <string_view>

namespace carillon::auth {

// Bytes that are wiped when they are no longer needed. Move only; one owner.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string bytes) : bytes_(std::move(bytes)) {}
  ~Secret() { wipe(); }
  Secret(Secret&& other) noexcept : bytes_(std::move(other.bytes_)) { other.wipe(); }
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;

  [[nodiscard]] std::string_view view() const { return bytes_; }

 private:
  void wipe();
  std::string bytes_;
};

}  // namespace carillon::auth
