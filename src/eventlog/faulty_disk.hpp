#pragma once

#include <cstdint>
#include <memory>

namespace carillon::eventlog {

// For tests: the disk that SQLite sees while this lives, with faults on command. Syncs cost nothing on it. One at a
// time; connections are opened and closed while it lives. Any thread.
//
// Operations are writes, truncations and syncs, counted from 0.
class FaultyDisk {
 public:
  FaultyDisk();
  ~FaultyDisk();
  FaultyDisk(const FaultyDisk&) = delete;
  FaultyDisk& operator=(const FaultyDisk&) = delete;

  [[nodiscard]] std::uint64_t operations() const;

  // From that operation on there is no space for any write.
  void be_full_from(std::uint64_t operation);
  // The first sync from that operation on fails.
  void fail_sync_from(std::uint64_t operation);
  // That operation and all later ones fail, as if the machine had stopped.
  void stop_at(std::uint64_t operation);
  void heal();

  // What the machine finds after it lost power: of what was not synced, some writes happened, some did not and one may
  // be torn, as `seed` has it. While no file is open.
  void lose_power(std::uint64_t seed);

  struct State;

 private:
  std::unique_ptr<State> state_;
};

}  // namespace carillon::eventlog
