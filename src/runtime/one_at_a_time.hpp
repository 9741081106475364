#pragma once

#include <deque>
#include <mutex>
#include <optional>
#include <utility>

namespace carillon::runtime {

// Items that are handled one after the other, in order, by whatever thread is there: by the one that brings an item
// when none is being handled, else by the one that has handled the item before. Any thread. Bounded by who brings them.
template <class T>
class OneAtATime {
 public:
  // The item again, to be handled now; nothing when it has to wait.
  [[nodiscard]] std::optional<T> bring(T item) {
    const std::scoped_lock lock(mutex_);
    if (!std::exchange(is_busy_, true)) return std::move(item);
    waiting_.push_back(std::move(item));
    return std::nullopt;
  }

  // The last one has been handled: the next. Nothing: there is none, until somebody brings one.
  [[nodiscard]] std::optional<T> next() {
    const std::scoped_lock lock(mutex_);
    is_busy_ = !waiting_.empty();
    if (!is_busy_) return std::nullopt;
    T item = std::move(waiting_.front());
    waiting_.pop_front();
    return item;
  }

  [[nodiscard]] bool is_one_waiting() const {
    const std::scoped_lock lock(mutex_);
    return !waiting_.empty();
  }

 private:
  mutable std::mutex mutex_;
  std::deque<T> waiting_;
  bool is_busy_ = false;
};

}  // namespace carillon::runtime
