#include "notification/duplicate_filter.hpp"

#include <algorithm>
#include <functional>
#include <string>

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
  const Fingerprint id = fingerprint_of(event.id);
  const std::uint64_t content = std::hash<std::string>{}(protocol::encode_envelope(event));
  if (Known* const known = known_.find(id)) {
    if (logged_at - known->at <= options_.age) return known->content == content ? Verdict::repeat : Verdict::conflict;
    known->content = content;
    known->at = logged_at;
    return Verdict::fresh;
  }
  if (known_.size() >= options_.entries_max) {
    known_.pop_oldest();
    ++forgotten_;
  }
  known_.insert(id, {.content = content, .at = logged_at, .seen_at = now_});
  return Verdict::fresh;
}

void DuplicateFilter::forget_old() {
  while (known_.size() > 0 && now_ - known_.oldest().seen_at > options_.age) known_.pop_oldest();
}

}  // namespace carillon::notification
