#include "eventlog/broker_follower.hpp"

#include <algorithm>
#include <random>
#include <utility>

namespace carillon::eventlog {

BrokerFollower::BrokerFollower(std::unique_ptr<BrokerReader> reader, RecordSink& sink, const LogPositions& positions,
                               Place after, Extent extent, KnownIds& ids, BrokerLink& link, const Options& options,
                               const Clock& clock, telemetry::Registry& metrics)
    : reader_(std::move(reader)),
      sink_(sink),
      positions_(positions),
      ids_(ids),
      link_(link),
      options_(options),
      clock_(clock),
      read_up_to_(std::move(after)),
      extent_(std::move(extent)),
      end_at_start_(extent_.last),
      backoff_(options.backoff, std::random_device{}()),
      next_look_(clock.mono_now() + options.look_interval),
      caught_up_(read_up_to_.covers(end_at_start_)),
      followed_(metrics.counter("carillon_log_followed_total", "Records that were read from the log.")),
      lag_(metrics.gauge("carillon_log_lag_milliseconds", "Age of the record read last; 0 when none waits.")) {}

void BrokerFollower::run(const Noticed& noticed, const Ended& ended) {
  while (!link_.is_stopping()) {
    if (!offer_.empty()) {
      offer();
      continue;
    }
    if (gap_) return ended(*gap_);
    if (!is_connected_ && !reconnect()) continue;
    if (!gap_) read_on();
    if (!offer_.empty()) noticed();
    if (is_connected_ && !gap_ && clock_.mono_now() >= next_look_) look();
  }
}

// Where the log is another one than it was, or no longer has what comes next, there is nothing to go on from.
bool BrokerFollower::reconnect() {
  auto extent = reader_->connect();
  if (extent) {
    if (is_another_log(*extent)) {
      gap_ = GapReason::epoch;
    } else if (!read_up_to_.covers(extent->before_first)) {
      gap_ = GapReason::trimmed;
    }
    if (gap_) return true;
    extent_ = std::move(*extent);
    if (const auto sought = reader_->seek(read_up_to_); !sought) extent = std::unexpected(sought.error());
  }
  if (!extent) {
    link_.down(BrokerLink::End::reader, extent.error());
    link_.wait(backoff_.next());
    return false;
  }
  backoff_.reset();
  is_connected_ = true;
  was_empty_ = false;
  link_.up(BrokerLink::End::reader);
  return true;
}

bool BrokerFollower::is_another_log(const Extent& extent) const {
  const bool differs =
      !extent.incarnation.empty() && !extent_.incarnation.empty() && extent.incarnation != extent_.incarnation;
  return differs || !extent.last.covers(read_up_to_) || extent.added < extent_.added;
}

void BrokerFollower::read_on() {
  auto batch = reader_->read(kReadWait);
  if (!batch) return lose(batch.error());
  gap_ = batch->gap;
  was_empty_ = batch->records.empty();
  if (!was_empty_) return take(std::move(batch->records));
  lag_.set(0);
  const MonoTime now = clock_.mono_now();
  quiet_since_ = std::min(quiet_since_, now);
  note_caught_up(now - quiet_since_ >= kQuiet);
}

void BrokerFollower::take(std::vector<BrokerRecord> records) {
  followed_.add(records.size());
  offer_.reserve(records.size());
  const std::lock_guard lock(mutex_);
  for (BrokerRecord& record : records) {
    read_up_to_.pass(record.lane, record.offset);
    if (!record.id.empty()) {
      const KnownIds::Known known{KnownIds::content_of(record.bytes), record.lane, record.offset};
      ids_.remember(record.id, known, record.logged_at);
    }
    offer_.push_back({.position = positions_.of(read_up_to_),
                      .ordinal = ++last_ordinal_,
                      .lane = record.lane,
                      .offset = record.offset,
                      .logged_at = record.logged_at,
                      .bytes = std::move(record.bytes)});
  }
  lag_.set(std::max<std::int64_t>(0, (clock_.wall_now() - offer_.back().logged_at).count()));
  quiet_since_ = MonoTime::max();
}

void BrokerFollower::offer() {
  std::uint64_t rooms = 0;
  {
    // Read before the offer: a sink that has room again before accept() has returned must not be forgotten.
    const std::lock_guard lock(mutex_);
    rooms = rooms_;
  }
  if (sink_.accept(offer_)) {
    offer_.clear();
    return note_caught_up(false);
  }
  std::unique_lock lock(mutex_);
  room_.wait(lock, [&] { return rooms_ != rooms || link_.is_stopping(); });
}

// A log may end in what is no record, such as the end of a transaction: it has been read when nothing comes any more.
void BrokerFollower::note_caught_up(bool is_quiet) {
  if (caught_up_) return;
  if (is_quiet || read_up_to_.covers(end_at_start_)) caught_up_ = true;
}

void BrokerFollower::look() {
  next_look_ = clock_.mono_now() + options_.look_interval;
  auto extent = reader_->look();
  if (!extent) return lose(extent.error());
  if (is_another_log(*extent)) {
    gap_ = GapReason::epoch;
  } else if (was_empty_ && !read_up_to_.covers(extent->before_first)) {
    // The reader had nothing to say, and now it can say nothing any more.
    gap_ = GapReason::trimmed;
  } else {
    extent_ = std::move(*extent);
  }
}

void BrokerFollower::lose(const Error& error) {
  is_connected_ = false;
  link_.down(BrokerLink::End::reader, error);
}

void BrokerFollower::sink_has_room() {
  const std::lock_guard lock(mutex_);
  ++rooms_;
  room_.notify_all();
}

Place BrokerFollower::read_up_to() const {
  const std::lock_guard lock(mutex_);
  return read_up_to_;
}

}  // namespace carillon::eventlog
