#include "campaign/agreed_order.hpp"

#include <algorithm>

namespace carillon::campaign {

bool AgreedOrder::take(std::size_t follower, const Mark& mark) {
  const auto here = order_.begin() + static_cast<std::ptrdiff_t>(at_[follower] - begin_);
  if (here == order_.end()) {
    order_.push_back({mark});
    pass(follower);
    return true;
  }
  const auto found = std::find_if(here, order_.end(), [&](const Entry& entry) { return entry.mark == mark; });
  if (found == order_.end()) return false;
  const auto left_out = found - here;
  for (auto left = left_out; left >= 0; --left) pass(follower);
  return left_out == 0;
}

void AgreedOrder::pass(std::size_t follower) {
  ++order_[at_[follower]++ - begin_].passed;
  for (; !order_.empty() && order_.front().passed == at_.size(); ++begin_) order_.pop_front();
}

}  // namespace carillon::campaign
