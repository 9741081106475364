#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.hpp"
#include "event/publication.hpp"

namespace carillon::hub {

// What stands at this moment, for a client that starts anew (protocol 6.3): the latest update of every order that is
// not terminal, and the alerts of level ERROR or CRITICAL of the last hour. Holds no copies. Shard-confined.
class CurrentState {
 public:
  // Alerts that are remembered at most; beyond either the oldest are left out.
  static constexpr std::size_t kAlertsMax = 10'000;
  static constexpr std::uint64_t kAlertBytesMax = 16 * 1024 * 1024;

  // Beyond `orders_max` open orders a tenth leaves, those whose last update is oldest.
  explicit CurrentState(std::size_t orders_max = kOrdersMax) : orders_max_(orders_max) {}

  // Publications come in the log's order.
  void apply(const PublicationPtr& publication);
  void trim(MonoTime now);
  // What `user` may see of it, in the log's order.
  [[nodiscard]] std::vector<PublicationPtr> of(const UserId& user, Grants grants, MonoTime now) const;

  [[nodiscard]] std::size_t open_orders() const { return open_orders_; }

 private:
  void drop_oldest_orders();
  void drop_oldest_alert();
  using Orders = std::unordered_map<std::string, PublicationPtr>;  // by order id

  const std::size_t orders_max_;
  std::unordered_map<UserId, Orders> open_;
  std::size_t open_orders_ = 0;
  std::deque<PublicationPtr> alerts_;
  std::uint64_t alert_bytes_ = 0;
};

}  // namespace carillon::hub
