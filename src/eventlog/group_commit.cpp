#include "eventlog/group_commit.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <variant>

#include "telemetry/log.hpp"

namespace carillon::eventlog {
namespace {

// Dead letters that a full disk keeps from being written; the oldest leave.
constexpr std::size_t kLettersWaitingMax = 1000;

class Stopwatch {
 public:
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  }

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

// Errors about one call, which leave the transaction good.
bool is_about_call(const Error& error) {
  return error.kind == ErrorKind::conflict || error.kind == ErrorKind::not_found;
}

// What callers are told of an error of the transaction.
Error for_callers(const Error& error) {
  if (error.kind == ErrorKind::full) return error;
  return {ErrorKind::unavailable, "the journal has failed: " + error.message};
}

}  // namespace

Result<bool> GroupCommit::commit(LogQueue::Taken taken, WallTime now) {
  const std::uint64_t next_before = journal_.next_sequence();
  for (DeadLetterCall& call : taken.dead_letters) {
    if (auto* put = std::get_if<PutDeadLetter>(&call)) letters_.push_back(std::move(put->letter));
  }
  if (Result<> written = write(taken, now); !written) {
    journal_.rollback();
    lose_letters_over(kLettersWaitingMax);
    fail_calls(std::move(taken), for_callers(written.error()), metrics_);
    return std::unexpected(written.error());
  }
  metrics_.dead_letters.add(letters_put_);
  letters_.clear();
  last_committed_ = journal_.next_sequence() - 1;
  answer_appends(taken);
  if (Result<> answered = answer_dead_letters(taken); !answered) return std::unexpected(answered.error());
  return journal_.next_sequence() != next_before;
}

Result<> GroupCommit::write(LogQueue::Taken& taken, WallTime now) {
  const Stopwatch stopwatch;
  if (Result<> begun = journal_.begin(); !begun) return begun;
  if (Result<> written = write_appends(taken, now); !written) return written;
  if (Result<> written = write_dead_letters(taken); !written) return written;
  Result<> committed = journal_.commit();
  metrics_.commit_seconds.observe(stopwatch.seconds());
  return committed;
}

Result<> GroupCommit::write_appends(LogQueue::Taken& taken, WallTime now) {
  appended_.clear();
  if (journal_.is_over_size()) {
    appended_.assign(taken.appends.size(), fail(ErrorKind::full, "the journal is over its size until it is followed"));
    return {};
  }
  for (const AppendCall& call : taken.appends) {
    appended_.push_back(journal_.append(call.records, now));
    const Result<Appended>& last = appended_.back();
    if (!last && !is_about_call(last.error())) return std::unexpected(last.error());
  }
  return {};
}

Result<> GroupCommit::write_dead_letters(LogQueue::Taken& taken) {
  letters_put_ = 0;
  for (const DeadLetter& letter : letters_) {
    const Result<bool> put = journal_.put_dead_letter(letter);
    if (!put) return std::unexpected(put.error());
    letters_put_ += *put ? 1 : 0;
  }
  removed_.clear();
  for (const DeadLetterCall& call : taken.dead_letters) {
    const auto* remove = std::get_if<RemoveDeadLetter>(&call);
    if (remove == nullptr) continue;
    removed_.push_back(journal_.remove_dead_letter(remove->position));
    const Result<>& last = removed_.back();
    if (!last && !is_about_call(last.error())) return last;
  }
  return {};
}

void GroupCommit::answer_appends(LogQueue::Taken& taken) {
  for (std::size_t i = 0; i < taken.appends.size(); ++i) {
    Result<Appended>& result = appended_[i];
    if (result) {
      metrics_.appends.count(*result);
    } else {
      metrics_.appends.count(result.error());
    }
    taken.appends[i].done(std::move(result));
  }
}

Result<> GroupCommit::answer_dead_letters(LogQueue::Taken& taken) {
  Result<> read;
  std::size_t removals = 0;
  for (DeadLetterCall& call : taken.dead_letters) {
    if (auto* remove = std::get_if<RemoveDeadLetter>(&call)) remove->done(std::move(removed_[removals++]));
    if (auto* list = std::get_if<ListDeadLetters>(&call)) {
      Result<std::vector<DeadLetter>> letters = journal_.list_dead_letters(list->limit);
      if (!letters) {
        read = std::unexpected(letters.error());
        letters = std::unexpected(for_callers(letters.error()));
      }
      list->done(std::move(letters));
    }
  }
  return read;
}

void GroupCommit::lose_letters_over(std::size_t letters_max) {
  if (letters_.size() <= letters_max) return;
  const std::size_t lost = letters_.size() - letters_max;
  letters_.erase(letters_.begin(), letters_.begin() + static_cast<std::ptrdiff_t>(lost));
  metrics_.dead_letters_lost.add(lost);
  telemetry::log(telemetry::Level::error, "dead letters lost",
                 {{"letters", lost}, {"reason", "the journal did not take them"}});
}

void fail_calls(LogQueue::Taken taken, const Error& error, JournalMetrics& metrics) {
  for (AppendCall& call : taken.appends) {
    metrics.appends.count(error);
    call.done(std::unexpected(error));
  }
  for (DeadLetterCall& call : taken.dead_letters) {
    if (auto* remove = std::get_if<RemoveDeadLetter>(&call)) remove->done(std::unexpected(error));
    if (auto* list = std::get_if<ListDeadLetters>(&call)) list->done(std::unexpected(error));
  }
}

}  // namespace carillon::eventlog
