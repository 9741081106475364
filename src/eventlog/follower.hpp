#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/result.hpp"
#include "eventlog/event_log.hpp"
#include "eventlog/journal.hpp"

namespace carillon::eventlog {

// Hands the journal's kept steps and then its records to the sink, in order, each accepted once. The journal's thread
// but where noted.
class Follower {
 public:
  // Has caught up when it has handed over what the journal holds now.
  Follower(RecordSink& sink, const Journal& journal);

  // Offers one chunk of what is committed. Returns whether there is more to do at once.
  [[nodiscard]] Result<bool> advance(Journal& journal);
  // The sink was full and is no more. Any thread, also while it is being offered something.
  void sink_has_room() { rooms_.fetch_add(1); }

  // The first record that the sink has not accepted.
  [[nodiscard]] std::uint64_t next() const { return next_; }
  // Any thread.
  [[nodiscard]] bool has_caught_up() const { return caught_up_.load(); }

 private:
  // Not smaller than a group of appends, or following would fall behind for ever.
  static constexpr std::size_t kChunkRecordsMax = 4096;
  static constexpr std::size_t kChunkBytesMax = 4 * 1024 * 1024;

  [[nodiscard]] bool has_more(const Journal& journal) const;
  [[nodiscard]] Result<> read_on(Journal& journal);

  RecordSink& sink_;
  std::uint64_t next_;
  std::uint64_t next_kept_ = 1;
  const std::uint64_t last_kept_;  // 0: none
  const std::uint64_t end_at_start_;
  std::vector<StoredRecord> offer_;      // read and not yet accepted
  std::atomic<std::uint64_t> rooms_{0};  // how often the sink said that it has room
  std::uint64_t full_at_ = UINT64_MAX;   // rooms_ just before the sink last was full
  std::atomic<bool> caught_up_;
};

}  // namespace carillon::eventlog
