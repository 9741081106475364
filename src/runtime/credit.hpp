#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace carillon::runtime {

// A bound on what one thread may have under way at others: take before sending, give back when it is handled.
// Any thread.
class Credit {
 public:
  explicit Credit(std::uint64_t most) : left_(most), most_(most) {}

  // Waits until `n` are left, then takes them. `n` above the bound counts as the bound. False: closed while waiting.
  [[nodiscard]] bool take(std::uint64_t n) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return closed_ || left_ >= bounded(n); });
    if (closed_) return false;
    left_ -= bounded(n);
    return true;
  }

  // Takes without waiting, or not at all.
  [[nodiscard]] bool try_take(std::uint64_t n) {
    const std::scoped_lock lock(mutex_);
    if (closed_ || left_ < bounded(n)) return false;
    left_ -= bounded(n);
    return true;
  }

  void give_back(std::uint64_t n) {
    {
      const std::scoped_lock lock(mutex_);
      left_ += bounded(n);
      given_back_ += bounded(n);
    }
    changed_.notify_all();
  }

  // How much was given back since the beginning.
  [[nodiscard]] std::uint64_t given_back() const {
    const std::scoped_lock lock(mutex_);
    return given_back_;
  }

  // Ends every take(), now and later.
  void close() {
    {
      const std::scoped_lock lock(mutex_);
      closed_ = true;
    }
    changed_.notify_all();
  }

 private:
  [[nodiscard]] std::uint64_t bounded(std::uint64_t n) const { return n < most_ ? n : most_; }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t left_;
  std::uint64_t given_back_ = 0;
  const std::uint64_t most_;
  bool closed_ = false;
};

}  // namespace carillon::runtime
