#include "eventlog/known_ids.hpp"

#include <algorithm>
#include <functional>

namespace carillon::eventlog {

std::uint64_t KnownIds::content_of(std::string_view bytes) {
  return std::hash<std::string_view>{}(bytes);
}

void KnownIds::remember(std::string_view id, const Known& known, WallTime logged_at) {
  const Fingerprint key = fingerprint_of(id);
  const std::lock_guard lock(mutex_);
  now_ = std::max(now_, logged_at);
  while (entries_.size() > 0 && now_ - entries_.oldest().at > limits_.age) entries_.pop_oldest();
  if (entries_.find(key) != nullptr) return;
  if (entries_.size() >= limits_.entries_max) entries_.pop_oldest();
  entries_.insert(key, {known, now_});
}

std::optional<KnownIds::Known> KnownIds::find(std::string_view id) const {
  const Fingerprint key = fingerprint_of(id);
  const std::lock_guard lock(mutex_);
  const Entry* const entry = entries_.find(key);
  return entry == nullptr ? std::nullopt : std::optional(entry->known);
}

std::size_t KnownIds::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace carillon::eventlog
