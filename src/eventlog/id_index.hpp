#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace carillon::eventlog {

// Which sequence a record id has, by the id's keyed hash: 16 bytes an entry in memory instead of an index on disk,
// whose random page writes would cost more than the records themselves. Holds as many entries as the journal holds
// records. One thread.
//
// Two ids may share a hash, so a find asks about each candidate.
class IdIndex {
 public:
  // `sequence` is not 0.
  void insert(std::uint64_t hash, std::uint64_t sequence);
  // Forgets that entry, which is there.
  void erase(std::uint64_t hash, std::uint64_t sequence);
  // The first sequence under `hash` for which `matches(sequence)` holds; 0 when there is none.
  template <class Matches>
  [[nodiscard]] std::uint64_t find(std::uint64_t hash, Matches&& matches) const {
    const Part& part = parts_[part_of(hash)];
    if (part.slots.empty()) return 0;
    for (std::size_t i = part.home(hash); part.slots[i].sequence != 0; i = part.after(i)) {
      if (part.slots[i].hash == hash && matches(part.slots[i].sequence)) return part.slots[i].sequence;
    }
    return 0;
  }
  [[nodiscard]] std::size_t size() const;

 private:
  struct Slot {
    std::uint64_t hash = 0;
    std::uint64_t sequence = 0;  // 0: free
  };
  // An open-addressed table, its size a power of two, at most three quarters full.
  struct Part {
    std::vector<Slot> slots;
    std::size_t used = 0;

    [[nodiscard]] std::size_t home(std::uint64_t hash) const { return hash & (slots.size() - 1); }
    [[nodiscard]] std::size_t after(std::size_t i) const { return (i + 1) & (slots.size() - 1); }
    void put(const Slot& slot);
    void grow();
    void close_gap(std::size_t gap);
  };
  // Many small tables grow one after another; one large table would stop the journal for the time of its copy.
  static constexpr unsigned kPartBits = 8;
  [[nodiscard]] static std::size_t part_of(std::uint64_t hash) { return hash >> (64 - kPartBits); }

  std::array<Part, std::size_t{1} << kPartBits> parts_;
};

}  // namespace carillon::eventlog
