#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "event/place.hpp"
#include "event/position.hpp"

namespace carillon::eventlog {

// What our own calls append: an envelope as protocol::encode_envelope makes it.
struct Record {
  std::string id;     // the envelope's id; the key against repetition
  std::string bytes;  // the envelope
  std::string key{};  // records of one key keep their order in every log: the event's user, or else its kind
};

// What the log holds.
struct StoredRecord {
  Position position;       // this record and all that were handed over before it
  Ordinal ordinal = 0;     // grows from record to record, not always by one; this node's own, and this run's
  std::uint32_t lane = 0;  // where it stands in the log
  Offset offset{};
  WallTime logged_at;  // when the log got it
  std::string bytes;   // an envelope, or whatever a foreign producer put there
  // What stood between the last of these and the first record is trimmed; this one was kept, because an order stood at
  // it (Settled). Such records come first, in their order.
  bool is_kept = false;
};

// What its follower made of the records up to one: what the log needs to know about orders, so that the state of each
// outlives retention (protocol 6.3).
struct Settled {
  // A record that moved its order on.
  struct OrderStep {
    Ordinal ordinal = 0;
    Ordinal previous = 0;      // the step before it of the same order; 0: the first
    bool is_terminal = false;  // nothing follows
  };
  Ordinal up_to = 0;             // every record up to here has been looked at and its dead letter put
  std::vector<OrderStep> steps;  // among those since the last call, in order
};

// The answer to an append once the log holds it durably.
struct Appended {
  std::uint32_t accepted = 0;    // new in the log
  std::uint32_t duplicates = 0;  // same id and content were there already
  Position position;             // of the last record of the call, new or old
};

// A record that is not a valid event, kept beside the log.
struct DeadLetter {
  Position position;   // of the record
  WallTime at;         // when it was refused
  std::string reason;  // stable word, e.g. missing, wrong_type, not_json
  std::string detail;  // for people: pointer and message
  std::string bytes;   // the record, at most 1 MiB
  // Where the record stands in the log, which nodes agree on where their positions differ; {0, 0}: not known.
  std::uint32_t lane = 0;
  Offset offset{};
};

// Where a log hands over its records, in order. Implemented by the notification service.
class RecordSink {
 public:
  virtual ~RecordSink() = default;
  // Takes all of `batch` and returns true, or takes nothing and returns false because it is full; the log then offers
  // the same records again after EventLog::sink_has_room(). The log's thread; does not block.
  [[nodiscard]] virtual bool accept(std::vector<StoredRecord>& batch) = 0;
};

// The one ordered, durable log that everything enters through and every node follows.
//
// Calls may come from any thread and may overlap. Each completion runs exactly once, on the log's own thread, or on the
// caller's inside the call when the call is refused at once; it must not block and must not stop the log. After stop()
// has returned the log runs no completion and no accept() any more; what was not durable by then is completed with
// `unavailable` before.
class EventLog {
 public:
  using AppendDone = std::move_only_function<void(Result<Appended>)>;
  using DeadLettersDone = std::move_only_function<void(Result<std::vector<DeadLetter>>)>;
  using Done = std::move_only_function<void(Result<>)>;
  using ReachedDone = std::move_only_function<void(Result<bool>)>;

  virtual ~EventLog() = default;

  // Opens the log and starts to follow it from its oldest record. Fails with a message that names the file or broker
  // and what is wrong with it. Call once; before it, and after it failed, every call is refused. May take seconds.
  [[nodiscard]] virtual Result<> start(RecordSink& sink) = 0;
  // A start() that is under way on another thread need not succeed any more. Any thread.
  virtual void abandon_start() {}
  // The position before the first record that the sink is offered and that was not kept; also where the log holds none.
  // After start(), any thread.
  struct Origin {
    Position position;
    Place buried_up_to{};  // of the records up to here, processes before this one have put the dead letters
  };
  [[nodiscard]] virtual Origin origin() const = 0;
  // Reads a position that a client names (protocol 6.1): `epoch` it is of another log, `unknown` it is malformed. Any
  // thread, no I/O.
  [[nodiscard]] virtual std::expected<Place, GapReason> locate(std::string_view position) const = 0;
  // Whether the log has got this far: so that a place which this node has not read yet, because another node was
  // faster, can be told from one that never was (cases.md J4). Not asked about what the sink was offered. Fails with
  // `unavailable` or `full` when that cannot be told now.
  virtual void has_reached(Place place, ReachedDone done) = 0;
  // Completes or fails what is under way, then lets go of the log. Idempotent.
  virtual void stop() = 0;

  // Appends all records, one at least, or none, and calls `done` after they are durable ("durable before visible": no
  // sink sees them earlier). Errors: `conflict` an id is there, or in this call, with other content (the message names
  // the id); `full` no space or our queue is at its bound; `invalid` no records, or more or longer ones than the log
  // takes; `unavailable` otherwise: the outcome is unknown, and the same call with the same ids is safe to repeat.
  virtual void append(std::vector<Record> records, AppendDone done) = 0;

  // Following stopped because the sink was full; now it has room again.
  virtual void sink_has_room() = 0;
  // What the sink made of what it accepted. The log trims nothing that is not settled, and keeps the last step of each
  // order that it trims until that order is terminal and older than its retention. Calls come in order, each for the
  // records after the last one's.
  virtual void settle(Settled settled) = 0;

  // Keeps a refused record, as long as no dead letter of its position or a later one was put before, also by a process
  // before this one: a log that is read again does not bring back what was removed. At the bound (10,000) the oldest
  // leave.
  virtual void put_dead_letter(DeadLetter letter) = 0;
  // Newest first, at most `limit`.
  virtual void list_dead_letters(std::size_t limit, DeadLettersDone done) = 0;
  // Forgets one; `not_found` when there is none at that position. Used after a replay was appended.
  virtual void remove_dead_letter(Position position, Done done) = 0;

  // Whether appends can succeed now, as far as is known. Any thread, no I/O.
  [[nodiscard]] virtual bool is_writable() const = 0;
  // Whether everything that was in the log at start() has been accepted by the sink. Any thread, no I/O.
  [[nodiscard]] virtual bool has_caught_up() const = 0;
};

}  // namespace carillon::eventlog
