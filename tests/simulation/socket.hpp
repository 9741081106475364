#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace carillon::simulation {

// The connection of one client, seen from both ends: what the kernels hold, and what they did not take.
class Socket {
 public:
  explicit Socket(std::size_t room) : room_(room) {}

  void write(std::string_view bytes) {
    unsent_.append(bytes);
    flush();
  }
  // What the client reads: at most `bytes_max`.
  std::string read(std::size_t bytes_max) {
    const std::size_t size = std::min(bytes_max, under_way_.size());
    std::string bytes = under_way_.substr(0, size);
    under_way_.erase(0, size);
    flush();
    return bytes;
  }
  [[nodiscard]] bool has_unsent() const { return !unsent_.empty(); }
  [[nodiscard]] std::size_t unsent_bytes() const { return unsent_.size(); }
  [[nodiscard]] bool is_empty() const { return under_way_.empty() && unsent_.empty(); }
  // All that was written and has not been read.
  [[nodiscard]] std::string left() const { return under_way_ + unsent_; }

 private:
  void flush() {
    const std::size_t size = std::min(unsent_.size(), room_ - std::min(room_, under_way_.size()));
    under_way_.append(unsent_, 0, size);
    unsent_.erase(0, size);
  }

  const std::size_t room_;
  std::string under_way_, unsent_;
};

}  // namespace carillon::simulation
