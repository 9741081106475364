#pragma once

#include <atomic>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "eventlog/broker.hpp"
#include "eventlog/broker_appender.hpp"
#include "eventlog/broker_follower.hpp"
#include "eventlog/broker_link.hpp"
#include "eventlog/event_log.hpp"
#include "eventlog/known_ids.hpp"
#include "eventlog/log_notes.hpp"
#include "eventlog/log_positions.hpp"
#include "eventlog/log_queue.hpp"
#include "telemetry/metrics.hpp"

namespace carillon::eventlog {

// The event log on a message broker: one implementation over all kinds of them.
//
// Two threads, each with its connection. The writer's appends what waits, all of it in one go, so that one round trip
// serves many callers. The reader's follows, and offers the sink what it reads; a record that we appended comes by the
// same way as everybody's. When the broker is lost both try again, with back-off, for as long as it takes: meanwhile
// appends fail with `unavailable` at once, and following goes on after the last record when it is back.
//
// Where the log does not go on after the last record that was followed, because it was trimmed beyond it or is another
// one, this node has missed something for good: it says so by Options::on_gap and follows no more. The process then
// begins anew, as if it had just been started.
//
// An event id is kept to one record as far as this node knows: of what it appended or followed with its id beside the
// envelope, in the last hour and million. The notification service's duplicate filter does the rest.
class BrokerLog final : public EventLog {
 public:
  struct Options {
    // How much of the log is read at start: at least as much as clients resume from, and one hour more.
    milliseconds history = std::chrono::hours{24};
    LogQueue::Limits queue{};
    BrokerAppender::Options appending{};
    BrokerFollower::Options following{};
    // Called at most once, on one of the log's threads. Must not call stop().
    std::move_only_function<void(GapReason)> on_gap{};
  };

  // `clock` and `registry` outlive the log.
  BrokerLog(std::unique_ptr<Broker> broker, Options options, const Clock& clock, telemetry::Registry& registry);
  ~BrokerLog() override;
  BrokerLog(const BrokerLog&) = delete;
  BrokerLog& operator=(const BrokerLog&) = delete;

  // Waits for a broker that cannot be reached, and says so once, until abandon_start(): then fails with `unavailable`.
  // Fails at once where the configuration is wrong. Does not overlap stop().
  [[nodiscard]] Result<> start(RecordSink& sink) override;
  void abandon_start() override { link_.stop(); }
  [[nodiscard]] Origin origin() const override { return origin_; }
  [[nodiscard]] std::expected<Place, GapReason> locate(std::string_view position) const override;
  void has_reached(Place place, ReachedDone done) override;
  void stop() override;
  void append(std::vector<Record> records, AppendDone done) override;
  void sink_has_room() override;
  // A broker trims by its own rules.
  void settle(Settled /*settled*/) override {}
  void put_dead_letter(DeadLetter letter) override;
  void list_dead_letters(std::size_t limit, DeadLettersDone done) override;
  void remove_dead_letter(Position position, Done done) override;
  [[nodiscard]] bool is_writable() const override;
  [[nodiscard]] bool has_caught_up() const override;

 private:
  // Both connections, and what the broker said on them.
  struct Opened {
    std::unique_ptr<BrokerReader> reader;
    std::unique_ptr<BrokerWriter> writer;
    Extent extent;
    LogNotes notes;
    Place after;  // where following begins
  };
  [[nodiscard]] Result<Opened> open();
  [[nodiscard]] Result<LogNotes> identify(BrokerWriter& writer, const Extent& extent);
  void run(Opened opened, RecordSink& sink);
  void on_end(GapReason reason);

  const std::unique_ptr<Broker> broker_;
  Options options_;
  const Clock& clock_;
  telemetry::Registry& metrics_;
  LogQueue queue_;
  BrokerLink link_;
  KnownIds ids_{KnownIds::Limits{}};

  // Made by start(), for any thread that finds is_started_.
  std::optional<LogPositions> positions_;
  std::optional<BrokerFollower> follower_;
  std::optional<BrokerAppender> appender_;
  Origin origin_;
  std::atomic<bool> is_started_{false};

  std::thread following_, appending_;
};

}  // namespace carillon::eventlog
