#include "eventlog/kept_steps.hpp"

#include <algorithm>
#include <string>

#include "base/siphash.hpp"

namespace carillon::eventlog {

Result<KeptSteps> KeptSteps::open(SqliteDatabase& database, const HashKey& key, const KeptLimits& limits) {
  Result<RecordTable> table = RecordTable::open(database, key, RecordTable::Name::kept);
  if (!table) return std::unexpected(table.error());
  return KeptSteps(std::move(*table), key, limits);
}

Result<> KeptSteps::scan(const RecordTable::Visit& visit) {
  Result<> read = table_.read(1, [&](const JournalRow& row) {
    count(row);
    last_sequence_ = row.sequence;
    return visit(row);
  });
  before_ = now_;
  return read;
}

void KeptSteps::count(const JournalRow& row) {
  ++now_.rows;
  now_.bytes += row.cost();
}

void KeptSteps::note_terminal(std::uint64_t sequence) {
  terminals_.push_back(sequence);
  terminals_before_ = terminals_.size();
}

Result<> KeptSteps::pass(const StepIndex::Passing& passing, WallTime terminal_since, std::size_t expire_max) {
  gone_.clear();
  lost_ = 0;
  for (const std::uint64_t sequence : passing.leave) {
    if (Result<> forgotten = forget(sequence); !forgotten) return forgotten;
  }
  for (const StepIndex::Kept& step : passing.come) {
    if (Result<> taken = take(step); !taken) return taken;
  }
  if (Result<> expired = expire(terminal_since, expire_max); !expired) return expired;
  return make_room(std::max(expire_max, passing.come.size()));
}

Result<> KeptSteps::take(const StepIndex::Kept& step) {
  if (Result<> copied = table_.copy(step.ordinal); !copied) return copied;
  if (step.is_terminal) terminals_.push_back(step.ordinal);
  return table_.read(step.ordinal, [&](const JournalRow& row) {
    count(row);
    return false;
  });
}

Result<> KeptSteps::forget(std::uint64_t sequence) {
  bool is_there = false;
  Result<> read = table_.read(sequence, [&](const JournalRow& row) {
    is_there = row.sequence == sequence;
    if (!is_there) return false;
    gone_.push_back({siphash(key_, row.id), sequence});
    --now_.rows;
    now_.bytes -= row.cost();
    return false;
  });
  return read && is_there ? table_.erase(sequence, sequence + 1) : read;
}

Result<> KeptSteps::expire(WallTime terminal_since, std::size_t expire_max) {
  while (expired_ < std::min(terminals_.size(), expire_max)) {
    const std::uint64_t sequence = terminals_[expired_];
    bool is_young = false;
    const Result<> read = table_.read(sequence, [&](const JournalRow& row) {
      is_young = row.sequence == sequence && row.logged_at >= terminal_since;
      return false;
    });
    if (!read) return read;
    if (is_young) return {};
    if (Result<> forgotten = forget(sequence); !forgotten) return forgotten;
    ++expired_;
  }
  return {};
}

Result<> KeptSteps::make_room(std::size_t expire_max) {
  while (lost_ < expire_max && (now_.rows > limits_.rows_max || now_.bytes > limits_.bytes_max)) {
    std::uint64_t oldest = 0;
    const Result<> read = table_.read(1, [&](const JournalRow& row) {
      oldest = row.sequence;
      return false;
    });
    if (!read) return read;
    if (Result<> forgotten = forget(oldest); !forgotten) return forgotten;
    ++lost_;
  }
  return {};
}

void KeptSteps::committed() {
  terminals_.erase(terminals_.begin(), terminals_.begin() + static_cast<std::ptrdiff_t>(expired_));
  terminals_before_ = terminals_.size();
  before_ = now_;
  expired_ = 0;
}

void KeptSteps::rolled_back() {
  terminals_.resize(terminals_before_);
  now_ = before_;
  expired_ = 0;
}

}  // namespace carillon::eventlog
