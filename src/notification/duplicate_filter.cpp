#include "notification/duplicate_filter.hpp"

#include <algorithm>
#include <functional>

#include "base/ensure.hpp"
#include "protocol/envelope.hpp"

namespace carillon::notification {

DuplicateFilter::DuplicateFilter(const Options& options) : options_(options) {
  ensure(options_.entries_max > 0, "the duplicate filter remembers at least one id");
}

DuplicateFilter::Verdict DuplicateFilter::check(const Event& event, WallTime logged_at) {
  if (event.id.empty()) return Verdict::fresh;
  now_ = std::max(now_, logged_at);
  forget_old();
  const std::uint64_t content = std::hash<std::string>{}(protocol::encode_envelope(event));
  const auto known = contents_.find(event.id);
  if (known != contents_.end()) return known->second == content ? Verdict::repeat : Verdict::conflict;
  if (contents_.size() >= options_.entries_max) {
    forget_first();
    ++forgotten_;
  }
  arrivals_.push_back({.at = now_, .id = &contents_.emplace(event.id, content).first->first});
  return Verdict::fresh;
}

void DuplicateFilter::forget_old() {
  while (!arrivals_.empty() && now_ - arrivals_.front().at > options_.age) forget_first();
}

void DuplicateFilter::forget_first() {
  contents_.erase(contents_.find(*arrivals_.front().id));
  arrivals_.pop_front();
}

}  // namespace carillon::notification
