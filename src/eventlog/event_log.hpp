#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "event/position.hpp"

namespace carillon::eventlog {

// What our own calls append: an envelope as protocol::encode_envelope makes it.
struct Record {
  std::string id;     // the envelope's id; the key against repetition
  std::string bytes;  // the envelope
};

// What the log holds.
struct StoredRecord {
  Position position;
  WallTime logged_at;  // when the log got it
  std::string bytes;   // an envelope, or whatever a foreign producer put there
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

  virtual ~EventLog() = default;

  // Opens the log and starts to follow it from its oldest record that is not older than `history`, or from its end.
  // Fails with a message that names the file or broker and what is wrong with it. Call once; before it, and after it
  // failed, every call is refused.
  [[nodiscard]] virtual Result<> start(RecordSink& sink, milliseconds history) = 0;
  // The position before the first record that the sink is offered; also where the log holds none. After start(), any
  // thread.
  [[nodiscard]] virtual Position origin() const = 0;
  // Completes or fails what is under way, then lets go of the log. Idempotent.
  virtual void stop() = 0;

  // Appends all records, one at least, or none, and calls `done` after they are durable ("durable before visible": no
  // sink sees them earlier). Errors: `conflict` an id is there, or in this call, with other content (the message names
  // the id); `full` no space or our queue is at its bound; `invalid` no records, or more or longer ones than the log
  // takes; `unavailable` otherwise: the outcome is unknown, and the same call with the same ids is safe to repeat.
  virtual void append(std::vector<Record> records, AppendDone done) = 0;

  // Following stopped because the sink was full; now it has room again.
  virtual void sink_has_room() = 0;

  // Keeps a refused record; the same position twice is one dead letter. At the bound (10,000) the oldest leave.
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
