#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "eventlog/broker.hpp"
#include "eventlog/broker_link.hpp"
#include "eventlog/event_log.hpp"
#include "eventlog/known_ids.hpp"
#include "eventlog/log_positions.hpp"
#include "telemetry/metrics.hpp"

namespace carillon::eventlog {

// Follows a broker's log and hands over its records to the sink, in order, each accepted once; over lost connections,
// for as long as it takes. Ends where the log does not go on after what was followed.
//
// run() is a thread of its own, which the reader belongs to; the rest is for any thread.
class BrokerFollower {
 public:
  struct Options {
    Backoff::Options backoff = kBrokerBackoff;
    milliseconds look_interval{1000};
  };
  // Of records with an id that were read: so that who waits for one hears of it.
  using Noticed = std::function<void()>;
  using Ended = std::function<void(GapReason)>;

  // `reader` is connected, and reads on after `after`; `extent` is what its connect() said.
  BrokerFollower(std::unique_ptr<BrokerReader> reader, RecordSink& sink, const LogPositions& positions, Place after,
                 Extent extent, KnownIds& ids, BrokerLink& link, const Options& options, const Clock& clock,
                 telemetry::Registry& metrics);

  void run(const Noticed& noticed, const Ended& ended);
  void sink_has_room();
  // Ends the wait for that.
  void stop() { sink_has_room(); }

  [[nodiscard]] bool has_caught_up() const { return caught_up_.load(); }
  // Everything up to here was read, and is or will be handed over.
  [[nodiscard]] Place read_up_to() const;

 private:
  // Between two reads of nothing: long enough for any broker to send what it has.
  static constexpr milliseconds kQuiet{2000};
  static constexpr milliseconds kReadWait{100};

  bool reconnect();
  void read_on();
  void take(std::vector<BrokerRecord> records);
  void offer();
  void look();
  void lose(const Error& error);
  [[nodiscard]] bool is_another_log(const Extent& extent) const;
  void note_caught_up(bool is_quiet);

  const std::unique_ptr<BrokerReader> reader_;
  RecordSink& sink_;
  const LogPositions& positions_;
  KnownIds& ids_;
  BrokerLink& link_;
  const Options options_;
  const Clock& clock_;

  mutable std::mutex mutex_;
  std::condition_variable room_;
  Place read_up_to_;
  std::uint64_t rooms_ = 0;  // how often the sink said that it has room

  // Of the thread that runs.
  Extent extent_;
  const Place end_at_start_;
  std::vector<StoredRecord> offer_;  // read and not yet accepted
  Ordinal last_ordinal_ = 0;
  std::optional<GapReason> gap_;  // after offer_
  Backoff backoff_;
  MonoTime next_look_;
  MonoTime quiet_since_ = MonoTime::max();
  bool is_connected_ = true;
  bool was_empty_ = false;  // the last read

  std::atomic<bool> caught_up_{false};
  telemetry::Counter& followed_;
  telemetry::Gauge& lag_;
};

}  // namespace carillon::eventlog
