#include "eventlog/known_ids.hpp"

#include <algorithm>
#include <functional>

namespace carillon::eventlog {

std::uint64_t KnownIds::content_of(std::string_view bytes) {
  return std::hash<std::string_view>{}(bytes);
}

void KnownIds::remember(std::string_view id, const Known& known, WallTime logged_at) {
  const std::lock_guard lock(mutex_);
  now_ = std::max(now_, logged_at);
  forget_old();
  const auto [entry, is_new] = known_.try_emplace(std::string(id), known);
  if (is_new) arrivals_.push_back({now_, &entry->first});
}

void KnownIds::forget_old() {
  while (!arrivals_.empty() && (arrivals_.size() >= limits_.entries_max || now_ - arrivals_.front().at > limits_.age)) {
    known_.erase(known_.find(*arrivals_.front().id));
    arrivals_.pop_front();
  }
}

std::optional<KnownIds::Known> KnownIds::find(std::string_view id) const {
  const std::lock_guard lock(mutex_);
  const auto entry = known_.find(id);
  return entry == known_.end() ? std::nullopt : std::optional(entry->second);
}

std::size_t KnownIds::size() const {
  const std::lock_guard lock(mutex_);
  return known_.size();
}

}  // namespace carillon::eventlog
