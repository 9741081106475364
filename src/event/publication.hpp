#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "event/event.hpp"
#include "event/place.hpp"
#include "event/position.hpp"
#include "event/principal.hpp"

namespace carillon {

// One event as it is pushed: made once by the notification thread, then shared by every shard and never changed.
struct Publication {
  std::uint64_t sequence = 0;  // this node's own numbering, consecutive; says nothing outside the process
  Ordinal ordinal = 0;         // of its record
  std::uint32_t lane = 0;      // where its record stands in the log
  Offset offset;
  Position position;  // after it, where this node has everything of this and of what came before
  EventKind kind = EventKind::system_alert;
  OrderStatus status{};          // order_update
  AlertLevel level{};            // system_alert
  UserId owner;                  // order_update: whose
  std::string order_id;          // order_update
  std::vector<UserId> audience;  // sorted; empty: not narrowed
  WallTime event_time;
  // When the log took it; for what was in the log before this process began, a time before that.
  MonoTime accepted_at;
  MonoTime published_at;      // when this process made it
  std::string frame;          // the complete WebSocket text frame, header included (RFC 6455 5.2, unmasked)
  std::uint32_t mark_at = 0;  // where a member may be put into the message (protocol 4.1): right behind its `id`

  [[nodiscard]] bool is_targeted() const { return kind == EventKind::order_update || !audience.empty(); }
};

using PublicationPtr = std::shared_ptr<const Publication>;

// The one choke point where an event meets a user (protocol 5.3). Deny by default.
[[nodiscard]] inline bool may_see(const UserId& user, Grants grants, const Publication& publication) {
  const auto in_audience = [&] {
    return publication.audience.empty() ||
           std::binary_search(publication.audience.begin(), publication.audience.end(), user);
  };
  switch (publication.kind) {
    case EventKind::order_update:
      return grants.has(Grant::orders) && !publication.owner.empty() && publication.owner == user;
    case EventKind::new_trade_signal:
      return grants.has(Grant::signals) && in_audience();
    case EventKind::system_alert:
      return in_audience();
  }
  return false;
}

}  // namespace carillon
