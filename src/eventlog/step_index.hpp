#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "eventlog/event_log.hpp"

namespace carillon::eventlog {

// What a log's follower said of its records: which of them are steps of an order, and which step came before each. So
// that the log knows what to keep of what it trims: for each order the last step before the first record.
// Eight bytes a record. For a log whose ordinals are consecutive. One thread.
class StepIndex {
 public:
  struct Kept {
    Ordinal ordinal = 0;
    bool is_terminal = false;
  };
  // What changes among the kept steps when records are trimmed.
  struct Passing {
    std::vector<Kept> come;      // of the records that go, in order
    std::vector<Ordinal> leave;  // of those that were kept; some may be gone already
  };

  // `low` is the first record, and nothing is settled.
  explicit StepIndex(Ordinal low) : low_(low) {}

  // Continues what was settled; stops the process when it does not, for then orders would be lost.
  void settle(const Settled& settled);
  // Every record up to here.
  [[nodiscard]] Ordinal settled() const { return settled_; }

  // When the records before `low` go, all of which are settled.
  [[nodiscard]] Passing passing(Ordinal low) const;
  // They have gone.
  void move_to(Ordinal low);

 private:
  Ordinal low_;
  Ordinal settled_ = 0;
  std::deque<std::uint64_t> entries_;  // of the records from low_ up to settled_: 0, or a step
  std::vector<Ordinal> overtaken_;     // kept steps that a kept step came after
};

}  // namespace carillon::eventlog
