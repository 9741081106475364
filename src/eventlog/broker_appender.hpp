#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.hpp"
#include "eventlog/append_outcomes.hpp"
#include "eventlog/broker.hpp"
#include "eventlog/broker_link.hpp"
#include "eventlog/known_ids.hpp"
#include "eventlog/log_notes.hpp"
#include "eventlog/log_positions.hpp"
#include "eventlog/log_queue.hpp"
#include "telemetry/metrics.hpp"

namespace carillon::eventlog {

// Appends to a broker's log what callers bring, all that waits in one go, and keeps the notes beside it. While the
// broker is lost, calls fail and dead letters wait.
//
// run() is a thread of its own, which the writer belongs to, and ends when the queue is closed and empty.
class BrokerAppender {
 public:
  struct Options {
    milliseconds append_timeout{5000};
    Backoff::Options backoff = kBrokerBackoff;
  };
  using ReadUpTo = std::function<Place()>;

  // `writer` is connected. `read_up_to` says how far this node has read.
  BrokerAppender(std::unique_ptr<BrokerWriter> writer, LogQueue& queue, const LogPositions& positions,
                 LogIdentity identity, Place buried_up_to, KnownIds& ids, BrokerLink& link, ReadUpTo read_up_to,
                 const Options& options, const Clock& clock, telemetry::Registry& metrics);

  void run();

  // The log is another one from now on: says so in a note, if it can be written, then calls `then` on its thread. Any
  // thread.
  void condemn(std::function<void()> then);

  // It had no room for the last append. Any thread.
  [[nodiscard]] bool is_full() const { return is_full_.load(); }

 private:
  static constexpr std::size_t kLettersMax = 10'000;
  static constexpr std::size_t kLetterBytesMax = std::size_t{64} << 20;
  static constexpr std::uint64_t kNotesBetweenMarks = 1000;

  // Where one record of a call stands. One that is neither fresh nor known was appended and is not read yet.
  struct Slot {
    std::uint64_t content = 0;
    std::optional<std::size_t> fresh;  // index among the records that are appended now
    std::optional<KnownIds::Known> known;
    bool is_repeat = false;
  };
  using Slots = std::unordered_map<std::string, Slot>;
  struct Plan {
    AppendCall call;
    std::vector<Slot> slots;
  };
  // An append that the broker acknowledged without saying where: the reader finds it.
  struct Unplaced {
    std::string id;
    Appended appended;
    EventLog::AppendDone done;
    MonoTime deadline;
  };

  // A record that the broker acknowledged without saying where, until it is read.
  struct Unread {
    std::string id;
    MonoTime deadline;
  };

  bool connect_when_due();
  [[nodiscard]] milliseconds patience() const;
  void append(std::vector<AppendCall> calls);
  [[nodiscard]] Result<std::vector<BrokerWriter::Stood>> write(std::span<const Record> fresh);
  void note_full(const Error* error);
  static void take_back(Plan& plan, std::vector<Record>& fresh);
  [[nodiscard]] std::vector<Plan> plan(std::vector<AppendCall> calls, std::vector<Record>& fresh);
  [[nodiscard]] std::optional<Slot> find(const std::string& id, const Slots& planned) const;
  void answer(Plan plan, const std::vector<Record>& fresh, const std::vector<BrokerWriter::Stood>& stood);
  [[nodiscard]] std::optional<KnownIds::Known> note(const std::string& id, std::uint64_t content,
                                                    const BrokerWriter::Stood& stood);
  void finish(EventLog::AppendDone done, const Appended& appended);
  void refuse(EventLog::AppendDone done, const Error& error);
  void place_what_was_read();
  void forget_what_was_read();
  void take(DeadLetterCall& call);
  void keep(DeadLetter letter);
  void write_letters();
  void list(ListDeadLetters& call);
  void remove(RemoveDeadLetter& call);
  void answer(std::vector<ReachedCall> calls);
  [[nodiscard]] Result<LogNotes> read_notes();
  Result<> write_note(const std::string& note);
  void write_mark();
  void say_condemned();
  void lose(const Error& error);
  [[nodiscard]] Position position_at(std::uint32_t lane, Offset offset) const;

  const std::unique_ptr<BrokerWriter> writer_;
  LogQueue& queue_;
  const LogPositions& positions_;
  LogIdentity identity_;
  Place buried_up_to_;
  KnownIds& ids_;
  BrokerLink& link_;
  const ReadUpTo read_up_to_;
  const Options options_;
  const Clock& clock_;

  std::deque<DeadLetter> letters_;  // not written yet
  std::size_t letter_bytes_ = 0;
  std::deque<Unplaced> unplaced_;
  std::deque<Unread> unread_;
  std::unordered_map<std::string, std::uint64_t> unread_contents_;
  Backoff backoff_;
  MonoTime next_try_;
  std::uint64_t losses_;  // of the reader, when this connection was made
  Error last_error_{ErrorKind::unavailable, "the broker that holds the log was lost"};
  std::uint64_t notes_since_mark_ = 0;
  bool is_connected_ = true;
  std::atomic<bool> is_full_{false};

  std::mutex condemned_mutex_;
  std::function<void()> condemned_;

  AppendOutcomes outcomes_;
  telemetry::Histogram& append_seconds_;
  telemetry::Counter& letters_put_;
  telemetry::Counter& letters_lost_;
  telemetry::Gauge& queue_calls_;
};

}  // namespace carillon::eventlog
