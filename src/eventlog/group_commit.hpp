#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "eventlog/journal.hpp"
#include "eventlog/journal_metrics.hpp"
#include "eventlog/log_queue.hpp"

namespace carillon::eventlog {

// One transaction for all calls that waited together, and their answers: each exactly once, after the commit.
// The journal's thread.
class GroupCommit {
 public:
  // `last_committed` is moved on before anyone is told of a record.
  GroupCommit(Journal& journal, JournalMetrics& metrics, std::atomic<std::uint64_t>& last_committed)
      : journal_(journal), metrics_(metrics), last_committed_(last_committed) {}
  ~GroupCommit() { lose_letters_over(0); }
  GroupCommit(const GroupCommit&) = delete;
  GroupCommit& operator=(const GroupCommit&) = delete;

  // Returns whether records were added. An error is the transaction's, and the calls were answered with it (`full`) or
  // with `unavailable`: after `full` a later group may succeed, after any other none may be tried.
  [[nodiscard]] Result<bool> commit(LogQueue::Taken taken, WallTime now);
  // Whether dead letters that were put still wait for a commit that succeeds.
  [[nodiscard]] bool has_letters() const { return !letters_.empty(); }

 private:
  [[nodiscard]] Result<> write(LogQueue::Taken& taken, WallTime now);
  [[nodiscard]] Result<> write_appends(LogQueue::Taken& taken, WallTime now);
  [[nodiscard]] Result<> write_dead_letters(LogQueue::Taken& taken);
  void answer_appends(LogQueue::Taken& taken);
  [[nodiscard]] Result<> answer_dead_letters(LogQueue::Taken& taken);
  void lose_letters_over(std::size_t letters_max);

  Journal& journal_;
  JournalMetrics& metrics_;
  std::atomic<std::uint64_t>& last_committed_;
  std::vector<Result<Appended>> appended_;  // what this group's appends will be told
  std::vector<Result<>> removed_;           // and its removals of dead letters
  std::vector<DeadLetter> letters_;         // put, and not yet committed
  std::size_t letters_put_ = 0;             // of these, by this group
};

// Completes every call of `taken` with `error`; dead letters to be put are lost with it.
void fail_calls(LogQueue::Taken taken, const Error& error, JournalMetrics& metrics);

}  // namespace carillon::eventlog
