#include "eventlog/jetstream_feed.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/number.hpp"

namespace carillon::eventlog::jetstream {

Result<std::unique_ptr<Feed>> Feed::open(const Target& target, Link& link, const std::string& stream,
                                         std::uint64_t after) {
  const std::string inbox = new_inbox();
  const auto subscription = link.subscribe(inbox);
  if (!subscription) return std::unexpected(subscription.error());
  std::unique_ptr<Feed> feed(new Feed(target, link, *subscription));
  using std::chrono::nanoseconds;
  const nanoseconds heartbeat = std::clamp<nanoseconds>(target.timeout() / 4, milliseconds(100), milliseconds(1000));
  auto consumer = link.ask("CONSUMER.CREATE." + stream,
                           fmt::format(R"({{"stream_name":{},"config":{{"deliver_subject":"{}",)"
                                       R"("deliver_policy":"by_start_sequence","opt_start_seq":{},"ack_policy":"none",)"
                                       R"("max_deliver":1,"replay_policy":"instant","flow_control":true,)"
                                       R"("idle_heartbeat":{},"num_replicas":1,"mem_storage":true}}}})",
                                       in_json(stream), inbox, after + 1, heartbeat.count()));
  if (!consumer) return std::unexpected(consumer.error());
  const auto delivered = consumer->root().find("delivered");
  feed->began_after_ = delivered ? delivered->find_count("stream_seq").value_or(0) : 0;
  feed->pending_at_first_ = consumer->root().find_count("num_pending").value_or(0);
  return feed;
}

Result<std::optional<Feed::Delivery>> Feed::next(milliseconds wait) {
  const MonoTime end = SystemClock().mono_now() + wait;
  while (true) {
    const MonoTime now = SystemClock().mono_now();
    const auto left = std::chrono::ceil<milliseconds>(std::max(end - now, MonoTime::duration::zero()));
    natsMsg* raw = nullptr;
    const natsStatus status = natsSubscription_NextMsg(&raw, subscription_, left.count());
    MessagePtr message(raw);
    if (status == NATS_TIMEOUT) {
      if (SystemClock().mono_now() - heard_at_ <= target_.timeout()) return std::nullopt;
      return target_.error(ErrorKind::unavailable, "has been silent for too long");
    }
    if (status != NATS_OK) return link_.failed(status, "following");
    heard_at_ = now;
    const auto stamp = parse_delivery_stamp(text_or_empty(natsMsg_GetReply(raw)));
    const bool is_whole = stamp ? stamp->consumer_sequence == ++received_ : heed(raw);
    if (!is_whole) return target_.error(ErrorKind::unavailable, "lost records on the way");
    if (stamp) return Delivery{std::move(message), *stamp};
  }
}

bool Feed::heed(natsMsg* control) const {
  std::string reply(text_or_empty(natsMsg_GetReply(control)));
  // A consumer that stalled says so in its heartbeats, lest our first answer was lost.
  if (reply.empty()) reply = header_of(control, "Nats-Consumer-Stalled");
  if (!reply.empty()) (void)natsConnection_Publish(link_.get(), reply.c_str(), nullptr, 0);
  return parse_number<std::uint64_t>(header_of(control, "Nats-Last-Consumer")).value_or(0) <= received_;
}

}  // namespace carillon::eventlog::jetstream
