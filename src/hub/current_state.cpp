#include "hub/current_state.hpp"

#include <algorithm>

namespace carillon::hub {

namespace {

constexpr std::chrono::hours kAlertAge{1};

bool is_old(const Publication& alert, MonoTime now) {
  return now - alert.accepted_at > kAlertAge;
}

}  // namespace

void CurrentState::apply(const PublicationPtr& publication) {
  if (publication->kind == EventKind::system_alert && publication->level >= AlertLevel::error) {
    alerts_.push_back(publication);
    alert_bytes_ += publication->frame.size();
    while (alerts_.size() > kAlertsMax || alert_bytes_ > kAlertBytesMax) drop_oldest_alert();
  }
  if (publication->kind != EventKind::order_update) return;
  if (!is_terminal(publication->status)) {
    PublicationPtr& latest = open_[publication->owner][publication->order_id];
    if (latest == nullptr) ++open_orders_;
    latest = publication;
    if (open_orders_ > orders_max_) drop_oldest_orders();
    return;
  }
  const auto orders = open_.find(publication->owner);
  if (orders == open_.end()) return;
  open_orders_ -= orders->second.erase(publication->order_id);
  if (orders->second.empty()) open_.erase(orders);
}

void CurrentState::trim(MonoTime now) {
  while (!alerts_.empty() && is_old(*alerts_.front(), now)) drop_oldest_alert();
}

// Rarely, and then many at once: looking for the oldest looks at all.
void CurrentState::drop_oldest_orders() {
  std::vector<Ordinal> ordinals;
  ordinals.reserve(open_orders_);
  for (const auto& [user, orders] : open_)
    for (const auto& [id, latest] : orders) ordinals.push_back(latest->ordinal);
  const auto last = ordinals.begin() + static_cast<std::ptrdiff_t>(ordinals.size() / 10);
  std::ranges::nth_element(ordinals, last);
  for (auto of_user = open_.begin(); of_user != open_.end();) {
    Orders& orders = of_user->second;
    open_orders_ -= std::erase_if(orders, [&](const auto& order) { return order.second->ordinal <= *last; });
    of_user = orders.empty() ? open_.erase(of_user) : std::next(of_user);
  }
}

void CurrentState::drop_oldest_alert() {
  alert_bytes_ -= alerts_.front()->frame.size();
  alerts_.pop_front();
}

std::vector<PublicationPtr> CurrentState::of(const UserId& user, Grants grants, MonoTime now) const {
  std::vector<PublicationPtr> found;
  const auto take = [&](const PublicationPtr& publication) {
    if (may_see(user, grants, *publication)) found.push_back(publication);
  };
  for (const PublicationPtr& alert : alerts_)
    if (!is_old(*alert, now)) take(alert);
  if (const auto orders = open_.find(user); orders != open_.end())
    for (const auto& [id, latest] : orders->second) take(latest);
  std::ranges::sort(found, {}, [](const PublicationPtr& publication) { return publication->ordinal; });
  return found;
}

}  // namespace carillon::hub
