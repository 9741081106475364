#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace carillon::runtime {

// How many of something each key holds, over all shards: connections per user, per address. Any thread.
// Touched when a connection comes or goes, never on the way of a delivery.
class KeyedLimit {
 public:
  explicit KeyedLimit(std::uint32_t most) : most_(most) {}

  // False, and nothing taken, when `key` holds as many as it may.
  [[nodiscard]] bool take(std::string_view key) {
    const std::scoped_lock lock(mutex_);
    std::uint32_t& held = held_[std::string(key)];
    if (held >= most_) return false;
    ++held;
    return true;
  }

  [[nodiscard]] bool has_room(std::string_view key) {
    const std::scoped_lock lock(mutex_);
    const auto it = held_.find(std::string(key));
    return it == held_.end() || it->second < most_;
  }

  void give_back(std::string_view key) {
    const std::scoped_lock lock(mutex_);
    const auto it = held_.find(std::string(key));
    if (it == held_.end()) return;
    if (--it->second == 0) held_.erase(it);
  }

 private:
  std::mutex mutex_;
  std::unordered_map<std::string, std::uint32_t> held_;
  const std::uint32_t most_;
};

}  // namespace carillon::runtime
