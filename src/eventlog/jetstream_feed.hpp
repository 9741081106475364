#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "eventlog/jetstream_link.hpp"
#include "eventlog/jetstream_text.hpp"

namespace carillon::eventlog::jetstream {

// The records of a stream after one of them, sent by the server as fast as we read. What it sends is numbered twice:
// in the stream, where a hole is a record that is gone, and for this consumer, where one is a record lost on the way.
class Feed {
 public:
  struct Delivery {
    MessagePtr message;
    DeliveryStamp stamp;
  };

  // `target` and `link` outlive it.
  static Result<std::unique_ptr<Feed>> open(const Target& target, Link& link, const std::string& stream,
                                            std::uint64_t after);

  // The record that the server began before, as far as it says; less than asked for where the stream is shorter.
  [[nodiscard]] std::uint64_t began_after() const { return began_after_; }
  [[nodiscard]] std::uint64_t pending_at_first() const { return pending_at_first_; }
  // Waits for the next record: nothing when none came in time. `unavailable` when something was lost on the way or the
  // server is silent, which it is not even where it has nothing to send.
  [[nodiscard]] Result<std::optional<Delivery>> next(milliseconds wait);

 private:
  Feed(const Target& target, const Link& link, natsSubscription* subscription)
      : target_(target), link_(link), subscription_(subscription) {}
  // Whether all that was sent so far has come.
  [[nodiscard]] bool heed(natsMsg* control) const;

  const Target& target_;
  const Link& link_;
  natsSubscription* subscription_;  // the link's
  std::uint64_t began_after_ = 0;
  std::uint64_t pending_at_first_ = 0;
  std::uint64_t received_ = 0;
  MonoTime heard_at_ = SystemClock().mono_now();
};

}  // namespace carillon::eventlog::jetstream
