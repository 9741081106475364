#include "eventlog/step_index.hpp"

#include <cstddef>

#include "base/ensure.hpp"

namespace carillon::eventlog {
namespace {

// A step as one number: the step before it, whether it is terminal, and a one.
std::uint64_t entry_of(const Settled::OrderStep& step) {
  return step.previous << 2 | (step.is_terminal ? 2U : 0U) | 1U;
}
bool is_step(std::uint64_t entry) {
  return entry != 0;
}
bool is_terminal(std::uint64_t entry) {
  return (entry & 2U) != 0;
}
Ordinal previous_of(std::uint64_t entry) {
  return entry >> 2;
}

}  // namespace

void StepIndex::settle(const Settled& settled) {
  ensure(settled.up_to >= settled_, "what is settled stays settled");
  Ordinal last = settled_;
  if (settled.up_to >= low_) entries_.resize(settled.up_to - low_ + 1);
  for (const Settled::OrderStep& step : settled.steps) {
    ensure(step.ordinal > last && step.ordinal <= settled.up_to && step.previous < step.ordinal,
           "steps are settled in order, once");
    last = step.ordinal;
    if (step.ordinal >= low_) {
      entries_[step.ordinal - low_] = entry_of(step);
    } else if (step.previous != 0) {
      overtaken_.push_back(step.previous);
    }
  }
  settled_ = settled.up_to;
}

StepIndex::Passing StepIndex::passing(Ordinal low) const {
  ensure(low >= low_ && low - low_ <= entries_.size(), "only what is settled goes");
  const std::size_t count = low - low_;
  Passing passing{{}, overtaken_};
  // A step that goes together with the next of its order is not kept at all.
  std::vector<bool> is_overtaken(count);
  for (std::size_t i = 0; i < count; ++i) {
    const Ordinal previous = previous_of(entries_[i]);
    if (previous >= low_) {
      is_overtaken[previous - low_] = true;
    } else if (previous != 0) {
      passing.leave.push_back(previous);
    }
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (is_step(entries_[i]) && !is_overtaken[i]) passing.come.push_back({low_ + i, is_terminal(entries_[i])});
  }
  return passing;
}

void StepIndex::move_to(Ordinal low) {
  ensure(low >= low_ && low - low_ <= entries_.size(), "only what is settled goes");
  entries_.erase(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(low - low_));
  low_ = low;
  overtaken_.clear();
}

}  // namespace carillon::eventlog
