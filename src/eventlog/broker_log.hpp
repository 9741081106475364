#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "eventlog/broker.hpp"
#include "eventlog/event_log.hpp"
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
    std::size_t queue_calls_max = 10'000;                 // appends that wait; beyond: `full`
    std::size_t queue_bytes_max = std::size_t{64} << 20;  //
    std::size_t record_bytes_max = std::size_t{1} << 20;  // beyond: `invalid`
    milliseconds append_timeout{5000};                    // then an append that waits fails with `unavailable`
    milliseconds backoff_min{100};                        // between two tries to connect; doubles
    milliseconds backoff_max{5000};                       //
    milliseconds look_interval{1000};                     // how often the extent of the log is compared
    // Called at most once, on one of the log's threads. Must not call stop().
    std::move_only_function<void(GapReason)> on_gap{};
  };

  // `clock` and `registry` outlive the log.
  BrokerLog(std::unique_ptr<Broker> broker, Options options, const Clock& clock, telemetry::Registry& registry);
  ~BrokerLog() override;
  BrokerLog(const BrokerLog&) = delete;
  BrokerLog& operator=(const BrokerLog&) = delete;

  // Waits for a broker that cannot be reached, and says so once, until stop() is called by another thread: then fails
  // with `unavailable`. Fails at once where the configuration is wrong.
  [[nodiscard]] Result<> start(RecordSink& sink) override;
  [[nodiscard]] Origin origin() const override;
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
  class Follower;
  class Appender;
  struct Shared;

  std::unique_ptr<Shared> shared_;
};

}  // namespace carillon::eventlog
