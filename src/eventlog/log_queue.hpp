#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "eventlog/event_log.hpp"

namespace carillon::eventlog {

struct AppendCall {
  std::vector<Record> records;
  EventLog::AppendDone done;
  std::size_t bytes = 0;  // of the records; the queue's own count
};
struct PutDeadLetter {
  DeadLetter letter;
};
struct ListDeadLetters {
  std::size_t limit;
  EventLog::DeadLettersDone done;
};
struct RemoveDeadLetter {
  Position position;
  EventLog::Done done;
};
using DeadLetterCall = std::variant<PutDeadLetter, ListDeadLetters, RemoveDeadLetter>;
struct ReachedCall {
  Place place;
  EventLog::ReachedDone done;
};

// What waits for the thread that appends to a log: callers push from any thread, one thread takes. Bounded; never
// blocks a caller. Closed until open().
class LogQueue {
 public:
  struct Limits {
    std::size_t append_records_max = 50'000;
    std::size_t append_bytes_max = 64 * 1024 * 1024;
    std::size_t dead_letter_calls_max = 10'000;
    std::size_t dead_letter_bytes_max = 16 * 1024 * 1024;
    std::size_t reached_calls_max = 100'000;
    // Of one take, but for its first call.
    std::size_t group_records_max = 4096;
    std::size_t group_bytes_max = 4 * 1024 * 1024;
  };
  struct Taken {
    std::vector<AppendCall> appends;
    std::vector<DeadLetterCall> dead_letters;
    std::vector<ReachedCall> reached;
    Settled settled;                // of all calls since the last take; up_to 0: none
    std::size_t calls_waiting = 0;  // append calls found, these included
    bool is_last = false;           // closed, and nothing is left
  };

  explicit LogQueue(const Limits& limits) : limits_(limits) {}

  void open();
  // From now on pushes fail with `error`; what waits can still be taken. The first close counts.
  void close(Error error);

  // On an error the call was not taken and is as it was: `full` at the bound, `invalid` no records or more than could
  // ever fit, or the error of close().
  [[nodiscard]] Result<> push(AppendCall& call);
  [[nodiscard]] Result<> push(DeadLetterCall& call);
  [[nodiscard]] Result<> push(ReachedCall& call);
  // Joined with what waits; lost when the queue is closed. Bounded by what the sink has under way.
  void push(Settled settled);
  // Ends the wait of a take.
  void wake();

  // The oldest calls that fit one group. Waits for work, wake() or close() at most so long.
  [[nodiscard]] Taken take(std::chrono::nanoseconds patience);

 private:
  [[nodiscard]] bool has_news() const {
    return !appends_.empty() || !dead_letters_.empty() || !reached_.empty() || settled_.up_to != 0 || woken_ || closed_;
  }
  [[nodiscard]] Result<> check(AppendCall& call) const;
  void move_appends_to(Taken& taken);

  const Limits limits_;
  std::mutex mutex_;
  std::condition_variable news_;
  std::deque<AppendCall> appends_;
  std::size_t append_records_ = 0;
  std::size_t append_bytes_ = 0;
  std::vector<DeadLetterCall> dead_letters_;
  std::size_t dead_letter_bytes_ = 0;
  std::vector<ReachedCall> reached_;
  Settled settled_;
  bool woken_ = false;
  std::optional<Error> closed_{{ErrorKind::unavailable, "the log is not open"}};
};

}  // namespace carillon::eventlog
