#include "eventlog/memory_log.hpp"

#include <algorithm>
#include <utility>

namespace carillon::eventlog {
namespace {

constexpr std::size_t kDeadLettersMax = 10'000;
constexpr std::size_t kChunkMax = 100;

Error not_running() {
  return {ErrorKind::unavailable, "the log is not running"};
}

}  // namespace

Result<> MemoryLog::start(RecordSink& sink) {
  next_ = 0;
  settled_ = 0;
  at_start_ = records_.size();
  origin_ = {positions_.of(0), 0};
  sink_ = &sink;
  was_started_ = true;
  offer();
  return {};
}

std::expected<Ordinal, GapReason> MemoryLog::locate(std::string_view position) const {
  if (!was_started_) return std::unexpected(GapReason::unknown);
  return positions_.locate(position, records_.size());
}

void MemoryLog::append(std::vector<Record> records, AppendDone done) {
  if (sink_ == nullptr) return done(std::unexpected(not_running()));
  if (refusal_) return done(std::unexpected(*refusal_));
  if (records.empty()) return done(fail(ErrorKind::invalid, "a call without records"));
  done(try_append(records));
  offer();
}

Result<Appended> MemoryLog::try_append(const std::vector<Record>& records) {
  std::unordered_map<std::string, std::string> fresh;
  for (const Record& record : records) {
    const auto old = ids_.find(record.id);
    const std::string& bytes =
        old == ids_.end() ? fresh.emplace(record.id, record.bytes).first->second : records_[old->second].bytes;
    if (bytes == record.bytes) continue;
    return fail(ErrorKind::conflict, "the id " + record.id + " is in the log with other content");
  }
  Appended appended;
  for (const Record& record : records) {
    const auto [place, is_new] = ids_.emplace(record.id, records_.size());
    if (is_new) store(record.bytes);
    ++(is_new ? appended.accepted : appended.duplicates);
    appended.position = records_[place->second].position;
  }
  return appended;
}

Position MemoryLog::put_foreign(std::string bytes) {
  const Position position = store(std::move(bytes));
  offer();
  return position;
}

Position MemoryLog::store(std::string bytes) {
  const Ordinal ordinal = records_.size() + 1;
  records_.push_back({positions_.of(ordinal), ordinal, clock_.wall_now(), std::move(bytes)});
  return records_.back().position;
}

void MemoryLog::offer() {
  while (sink_ != nullptr && next_ < records_.size()) {
    const std::size_t end = std::min(records_.size(), next_ + kChunkMax);
    std::vector<StoredRecord> batch(records_.begin() + static_cast<std::ptrdiff_t>(next_),
                                    records_.begin() + static_cast<std::ptrdiff_t>(end));
    if (!sink_->accept(batch)) return;
    next_ = end;
  }
}

void MemoryLog::put_dead_letter(DeadLetter letter) {
  const auto ordinal = locate(letter.position.text);
  if (sink_ == nullptr || !ordinal || *ordinal <= letters_up_to_) return;
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
