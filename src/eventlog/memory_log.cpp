#include "eventlog/memory_log.hpp"

#include <algorithm>
#include <utility>

#include "base/ensure.hpp"

namespace carillon::eventlog {
namespace {

constexpr std::size_t kDeadLettersMax = 10'000;
constexpr std::size_t kChunkMax = 100;

Error not_running() {
  return {ErrorKind::unavailable, "the log is not running"};
}

}  // namespace

Result<> MemoryLog::start(RecordSink& sink) {
  ensure(sink_ == nullptr, "a log has one sink at a time");
  steps_ = StepIndex(low_);
  for (auto& [ordinal, row] : kept_) row.is_terminal = false;
  next_ = kept_.empty() ? low_ : kept_.begin()->first;
  at_start_ = end();
  caught_up_ = next_ == at_start_;
  origin_ = {.position = positions_.of(low_ - 1), .buried_up_to = Place(Offset{letters_up_to_})};
  sink_ = &sink;
  was_started_ = true;
  offer();
  return {};
}

std::expected<Place, GapReason> MemoryLog::locate(std::string_view position) const {
  if (!was_started_) return std::unexpected(GapReason::unknown);
  const auto number = positions_.number(position);
  if (!number) return std::unexpected(number.error());
  return Place(Offset{*number});
}

void MemoryLog::append(std::vector<Record> records, AppendDone done) {
  if (sink_ == nullptr) return done(std::unexpected(not_running()));
  if (refusal_) return done(std::unexpected(*refusal_));
  if (records.empty()) return done(fail(ErrorKind::invalid, "a call without records"));
  done(try_append(records));
  offer();
}

const StoredRecord& MemoryLog::at(Ordinal ordinal) const {
  return ordinal < low_ ? kept_.at(ordinal).record : rows_[ordinal - low_].record;
}

Result<Appended> MemoryLog::try_append(const std::vector<Record>& records) {
  std::unordered_map<std::string, std::string> fresh;
  for (const Record& record : records) {
    const auto old = ids_.find(record.id);
    const std::string& bytes =
        old == ids_.end() ? fresh.emplace(record.id, record.bytes).first->second : at(old->second).bytes;
    if (bytes == record.bytes) continue;
    return fail(ErrorKind::conflict, "the id " + record.id + " is in the log with other content");
  }
  Appended appended;
  for (const Record& record : records) {
    const auto [place, is_new] = ids_.emplace(record.id, end());
    if (is_new) store(record.id, record.bytes);
    ++(is_new ? appended.accepted : appended.duplicates);
    appended.position = at(place->second).position;
  }
  return appended;
}

Position MemoryLog::put_foreign(std::string bytes) {
  Position position = store({}, std::move(bytes)).position;
  offer();
  return position;
}

const StoredRecord& MemoryLog::store(std::string id, std::string bytes) {
  const Ordinal ordinal = end();
  rows_.push_back({.record = {.position = positions_.of(ordinal),
                              .ordinal = ordinal,
                              .offset = {ordinal},
                              .logged_at = clock_.wall_now(),
                              .bytes = std::move(bytes)},
                   .id = std::move(id)});
  return rows_.back().record;
}

std::vector<StoredRecord> MemoryLog::next_batch() const {
  std::vector<StoredRecord> batch;
  for (auto kept = kept_.lower_bound(next_); kept != kept_.end() && batch.size() < kChunkMax; ++kept) {
    batch.push_back(kept->second.record);
    batch.back().is_kept = true;
  }
  for (Ordinal ordinal = std::max(next_, low_); ordinal < end() && batch.size() < kChunkMax; ++ordinal) {
    batch.push_back(at(ordinal));
  }
  return batch;
}

void MemoryLog::offer() {
  while (sink_ != nullptr && next_ < end()) {
    std::vector<StoredRecord> batch = next_batch();
    const Ordinal next = batch.empty() ? low_ : batch.back().ordinal + 1;
    if (!batch.empty() && !sink_->accept(batch)) return;
    next_ = next;
    caught_up_ = caught_up_ || next_ >= at_start_;
  }
}

void MemoryLog::settle(Settled settled) {
  ensure(settled.up_to < end(), "only what was offered is settled");
  steps_.settle(settled);
  for (const Settled::OrderStep& step : settled.steps) {
    if (step.ordinal < low_) kept_.at(step.ordinal).is_terminal = step.is_terminal;
  }
}

void MemoryLog::trim_before(Ordinal ordinal) {
  const Ordinal low = std::min(ordinal, steps_.settled() + 1);
  if (low <= low_) return;
  const StepIndex::Passing passing = steps_.passing(low);
  for (const Ordinal left : passing.leave) {
    if (const auto row = kept_.extract(left)) forget(row.mapped());
  }
  auto step = passing.come.begin();
  for (; low_ < low; ++low_) {
    Row& row = rows_.front();
    log_time_ = std::max(log_time_, row.record.logged_at);
    if (step != passing.come.end() && step->ordinal == low_) {
      row.is_terminal = step->is_terminal;
      kept_.emplace(low_, std::move(row));
      ++step;
    } else {
      forget(row);
    }
    rows_.pop_front();
  }
  steps_.move_to(low);
  if (!rows_.empty()) log_time_ = std::max(log_time_, rows_.front().record.logged_at);
  expire();
}

// Terminal steps leave in their order.
void MemoryLog::expire() {
  for (auto row = kept_.begin(); row != kept_.end();) {
    if (!row->second.is_terminal) {
      ++row;
      continue;
    }
    if (row->second.record.logged_at >= log_time_ - options_.retention_age) return;
    forget(row->second);
    row = kept_.erase(row);
  }
}

void MemoryLog::put_dead_letter(DeadLetter letter) {
  const auto ordinal = positions_.number(letter.position.text);
  if (sink_ == nullptr || !ordinal || *ordinal >= end() || *ordinal <= letters_up_to_) return;
  letters_up_to_ = *ordinal;
  dead_letters_.push_front(std::move(letter));
  if (dead_letters_.size() > kDeadLettersMax) dead_letters_.pop_back();
}

void MemoryLog::list_dead_letters(std::size_t limit, DeadLettersDone done) {
  if (sink_ == nullptr) return done(std::unexpected(not_running()));
  const auto end = dead_letters_.begin() + static_cast<std::ptrdiff_t>(std::min(limit, dead_letters_.size()));
  done(std::vector<DeadLetter>(dead_letters_.begin(), end));
}

void MemoryLog::remove_dead_letter(Position position, Done done) {
  if (sink_ == nullptr) return done(std::unexpected(not_running()));
  const auto removed =
      std::erase_if(dead_letters_, [&](const DeadLetter& letter) { return letter.position == position; });
  if (removed == 0) return done(fail(ErrorKind::not_found, "there is no dead letter at " + position.text));
  done({});
}

}  // namespace carillon::eventlog
