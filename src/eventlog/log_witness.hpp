#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "eventlog/event_log.hpp"

// For tests: what can be seen of an event log from outside, on a thread that waits for it.
namespace carillon::eventlog {

// Long enough for any machine; a test that waits this long has failed.
inline constexpr std::chrono::seconds kWitnessPatience{60};

// Whether `condition` comes to hold, before all patience is gone. For what nobody tells of.
template <class Condition>
[[nodiscard]] bool comes_true(Condition condition) {
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock lock(mutex);
  const auto deadline = std::chrono::steady_clock::now() + kWitnessPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    never.wait_for(lock, std::chrono::milliseconds{1});
  }
  return true;
}

// Remembers what it accepts. Any thread. Where it settles, the bytes "order NAME ..." are a step of that order, and the
// last when they end in "end".
class RecordingSink final : public RecordSink {
 public:
  explicit RecordingSink(std::size_t room = SIZE_MAX) : room_(room) {}

  // From now on, for one run of that log, what is accepted is settled at once.
  void settle_with(EventLog& log) {
    log_ = &log;
    orders_.clear();
  }

  [[nodiscard]] bool accept(std::vector<StoredRecord>& batch) override {
    const std::lock_guard lock(mutex_);
    changed_.notify_all();
    if (batch.size() > room_) {
      ++refusals_;
      return false;
    }
    room_ -= batch.size();
    if (log_ != nullptr) log_->settle(settled(batch));
    for (StoredRecord& record : batch) records_.push_back(std::move(record));
    batch.clear();
    return true;
  }
  // What it has accepted as soon as that are `count` records, or what it has after all patience.
  std::vector<StoredRecord> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kWitnessPatience, [&] { return records_.size() >= count; });
    return records_;
  }
  // Waits until it was full for the first time.
  bool wait_until_full() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kWitnessPatience, [&] { return refusals_ != 0; });
  }
  // The log is told by the caller.
  void make_room(std::size_t records) {
    const std::lock_guard lock(mutex_);
    room_ = records;
  }

 private:
  Settled settled(const std::vector<StoredRecord>& batch) {
    Settled settled{batch.back().ordinal, {}};
    for (const StoredRecord& record : batch) {
      if (!record.bytes.starts_with("order ")) continue;
      Ordinal& last = orders_[record.bytes.substr(6, record.bytes.find(' ', 6) - 6)];
      settled.steps.push_back({record.ordinal, last, record.bytes.ends_with("end")});
      last = record.ordinal;
    }
    return settled;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, Ordinal> orders_;  // where each stands
  EventLog* log_ = nullptr;
  std::size_t room_;
  std::size_t refusals_ = 0;
  std::vector<StoredRecord> records_;
};

inline std::vector<std::string> bytes_of(const std::vector<StoredRecord>& records) {
  std::vector<std::string> bytes;
  for (const StoredRecord& record : records) bytes.push_back(record.bytes);
  return bytes;
}

// The answer of a call that is still under way.
template <class T>
class Answer {
 public:
  // To be given to the call.
  auto done() {
    return [promise = promise_](Result<T> result) { promise->set_value(std::move(result)); };
  }
  Result<T> wait() {
    if (future_.wait_for(kWitnessPatience) == std::future_status::ready) return future_.get();
    return fail(ErrorKind::internal, "no answer");
  }

 private:
  std::shared_ptr<std::promise<Result<T>>> promise_ = std::make_shared<std::promise<Result<T>>>();
  std::future<Result<T>> future_ = promise_->get_future();
};

inline Answer<Appended> begin_append(EventLog& log, std::vector<Record> records) {
  Answer<Appended> answer;
  log.append(std::move(records), answer.done());
  return answer;
}
inline Result<Appended> append(EventLog& log, std::vector<Record> records) {
  return begin_append(log, std::move(records)).wait();
}
inline Result<std::vector<DeadLetter>> dead_letters(EventLog& log, std::size_t limit) {
  Answer<std::vector<DeadLetter>> answer;
  log.list_dead_letters(limit, answer.done());
  return answer.wait();
}
inline bool has_reached(EventLog& log, Place place) {
  Answer<bool> answer;
  log.has_reached(std::move(place), answer.done());
  return answer.wait().value_or(false);
}
inline Result<> remove_dead_letter(EventLog& log, Position position) {
  Answer<void> answer;
  log.remove_dead_letter(std::move(position), answer.done());
  return answer.wait();
}

}  // namespace carillon::eventlog
