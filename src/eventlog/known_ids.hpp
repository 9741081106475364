#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>

#include "base/clock.hpp"
#include "base/recent_table.hpp"
#include "event/place.hpp"

namespace carillon::eventlog {

// The record ids of the recent past, for a log whose broker does not keep an id to one record: so that a producer who
// repeats a call hears that it was a repeat. Any thread.
class KnownIds {
 public:
  struct Limits {
    milliseconds age = std::chrono::hours{1};  // in log time
    std::size_t entries_max = 1'000'000;       // beyond it the oldest are forgotten
  };
  struct Known {
    std::uint64_t content = 0;
    std::uint32_t lane = 0;
    Offset offset;
  };

  explicit KnownIds(const Limits& limits) : limits_(limits) {}

  [[nodiscard]] static std::uint64_t content_of(std::string_view bytes);

  // The first record of an id is the one that is known.
  void remember(std::string_view id, const Known& known, WallTime logged_at);
  [[nodiscard]] std::optional<Known> find(std::string_view id) const;
  [[nodiscard]] std::size_t size() const;

 private:
  struct Entry {
    Known known;
    WallTime at;
  };

  const Limits limits_;
  mutable std::mutex mutex_;
  WallTime now_ = WallTime::min();
  RecentTable<Entry> entries_;
};

}  // namespace carillon::eventlog
