#include "eventlog/log_queue.hpp"

#include <utility>

namespace carillon::eventlog {
namespace {

// A record of our own calls is an envelope, and those come in bodies of at most 1 MiB (protocol 8.5).
constexpr std::size_t kRecordBytesMax = 1024 * 1024;

std::size_t bytes_of(const DeadLetterCall& call) {
  const auto* put = std::get_if<PutDeadLetter>(&call);
  return put == nullptr ? 0 : put->letter.bytes.size() + put->letter.detail.size();
}

}  // namespace

Result<> LogQueue::check(AppendCall& call) const {
  if (call.records.empty()) return fail(ErrorKind::invalid, "a call without records");
  call.bytes = 0;
  for (const Record& record : call.records) {
    const std::size_t bytes = record.id.size() + record.bytes.size();
    if (record.bytes.size() > kRecordBytesMax) return fail(ErrorKind::invalid, "a record is longer than 1 MiB");
    call.bytes += bytes;
  }
  const bool can_fit = call.records.size() <= limits_.append_records_max && call.bytes <= limits_.append_bytes_max;
  if (!can_fit) return fail(ErrorKind::invalid, "a call has more records than the log's queue holds");
  return {};
}

Result<> LogQueue::push(AppendCall& call) {
  if (Result<> checked = check(call); !checked) return checked;
  const std::lock_guard lock(mutex_);
  if (closed_) return std::unexpected(*closed_);
  const bool fits = append_records_ + call.records.size() <= limits_.append_records_max &&
                    append_bytes_ + call.bytes <= limits_.append_bytes_max;
  if (!fits) return fail(ErrorKind::full, "the log's queue is full");
  append_records_ += call.records.size();
  append_bytes_ += call.bytes;
  appends_.push_back(std::move(call));
  news_.notify_one();
  return {};
}

Result<> LogQueue::push(DeadLetterCall& call) {
  const std::size_t bytes = bytes_of(call);
  const std::lock_guard lock(mutex_);
  if (closed_) return std::unexpected(*closed_);
  const bool fits = dead_letters_.size() < limits_.dead_letter_calls_max &&
                    dead_letter_bytes_ + bytes <= limits_.dead_letter_bytes_max;
  if (!fits) return fail(ErrorKind::full, "the log's queue of dead letters is full");
  dead_letter_bytes_ += bytes;
  dead_letters_.push_back(std::move(call));
  news_.notify_one();
  return {};
}

Result<> LogQueue::push(ReachedCall& call) {
  const std::lock_guard lock(mutex_);
  if (closed_) return std::unexpected(*closed_);
  if (reached_.size() >= limits_.reached_calls_max) return fail(ErrorKind::full, "the log's queue is full");
  reached_.push_back(std::move(call));
  news_.notify_one();
  return {};
}

void LogQueue::push(Settled settled) {
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  settled_.up_to = settled.up_to;
  settled_.steps.insert(settled_.steps.end(), settled.steps.begin(), settled.steps.end());
  news_.notify_one();
}

void LogQueue::wake() {
  const std::lock_guard lock(mutex_);
  woken_ = true;
  news_.notify_one();
}

void LogQueue::open() {
  const std::lock_guard lock(mutex_);
  closed_.reset();
}

void LogQueue::close(Error error) {
  const std::lock_guard lock(mutex_);
  if (!closed_) closed_ = std::move(error);
  news_.notify_one();
}

LogQueue::Taken LogQueue::take(std::chrono::nanoseconds patience) {
  std::unique_lock lock(mutex_);
  news_.wait_for(lock, patience, [this] { return has_news(); });
  woken_ = false;
  Taken taken;
  taken.calls_waiting = appends_.size();
  move_appends_to(taken);
  taken.dead_letters = std::exchange(dead_letters_, {});
  dead_letter_bytes_ = 0;
  taken.reached = std::exchange(reached_, {});
  taken.settled = std::exchange(settled_, {});
  taken.is_last = closed_ && appends_.empty();
  return taken;
}

void LogQueue::move_appends_to(Taken& taken) {
  std::size_t records = 0;
  std::size_t bytes = 0;
  while (!appends_.empty()) {
    AppendCall& call = appends_.front();
    records += call.records.size();
    bytes += call.bytes;
    const bool fits = records <= limits_.group_records_max && bytes <= limits_.group_bytes_max;
    if (!fits && !taken.appends.empty()) return;
    append_records_ -= call.records.size();
    append_bytes_ -= call.bytes;
    taken.appends.push_back(std::move(call));
    appends_.pop_front();
  }
}

}  // namespace carillon::eventlog
