#include "eventlog/id_index.hpp"

#include <numeric>
#include <utility>

#include "base/ensure.hpp"

namespace carillon::eventlog {

void IdIndex::Part::put(const Slot& slot) {
  std::size_t i = home(slot.hash);
  while (slots[i].sequence != 0) i = after(i);
  slots[i] = slot;
}

void IdIndex::Part::grow() {
  const std::vector<Slot> old = std::exchange(slots, std::vector<Slot>(slots.empty() ? 16 : slots.size() * 2));
  for (const Slot& slot : old) {
    if (slot.sequence != 0) put(slot);
  }
}

// Moves later entries back over a freed slot, so that no probe ends early.
void IdIndex::Part::close_gap(std::size_t gap) {
  const std::size_t mask = slots.size() - 1;
  for (std::size_t i = after(gap); slots[i].sequence != 0; i = after(i)) {
    const std::size_t distance_from_home = (i - home(slots[i].hash)) & mask;
    if (distance_from_home < ((i - gap) & mask)) continue;
    slots[gap] = slots[i];
    gap = i;
  }
  slots[gap] = Slot{};
}

void IdIndex::insert(std::uint64_t hash, std::uint64_t sequence) {
  ensure(sequence != 0, "sequences start at 1");
  Part& part = parts_[part_of(hash)];
  if ((part.used + 1) * 4 > part.slots.size() * 3) part.grow();
  part.put({hash, sequence});
  ++part.used;
}

void IdIndex::erase(std::uint64_t hash, std::uint64_t sequence) {
  Part& part = parts_[part_of(hash)];
  ensure(part.used != 0, "an erased id is in the index");
  std::size_t i = part.home(hash);
  while (part.slots[i].sequence != sequence) {
    ensure(part.slots[i].sequence != 0, "an erased id is in the index");
    i = part.after(i);
  }
  part.close_gap(i);
  --part.used;
}

std::size_t IdIndex::size() const {
  return std::accumulate(parts_.begin(), parts_.end(), std::size_t{0},
                         [](std::size_t sum, const Part& part) { return sum + part.used; });
}

}  // namespace carillon::eventlog
