#pragma once

#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"
#include "base/recent_table.hpp"
#include "event/event.hpp"

namespace carillon::notification {

// Keeps an event id to one event, for logs that do not do so themselves (product.md, "Nothing repeated"): producers and
// brokers repeat themselves. Content is what the event means, not its white space or the order of its members.
//
// A pure function of the events it was asked about, in the order of the log. Two records are as far apart as their own
// times say, in whatever order the lanes of the log are read; ids leave by the latest `logged_at` it has seen. An event
// without id has its position as id (protocol 8.1) and is nobody's repeat. One thread.
class DuplicateFilter {
 public:
  struct Options {
    milliseconds age = std::chrono::hours{1};  // an event later than this after the first of its id is another one
    std::size_t entries_max = 1'000'000;       // at least 1; beyond it the oldest is forgotten
  };
  enum class Verdict : std::uint8_t {
    fresh,
    repeat,    // this id and this content came before
    conflict,  // this id came before with other content, and keeps that
  };

  explicit DuplicateFilter(const Options& options);
  DuplicateFilter(const DuplicateFilter&) = delete;
  DuplicateFilter& operator=(const DuplicateFilter&) = delete;

  // Judges, and remembers a fresh id.
  [[nodiscard]] Verdict check(const Event& event, WallTime logged_at);

  [[nodiscard]] std::size_t remembered() const { return known_.size(); }
  // Ids that left because of `entries_max`.
  [[nodiscard]] std::uint64_t forgotten() const { return forgotten_; }

 private:
  struct Known {
    std::uint64_t content;  // its hash
    WallTime at;            // of the first event
    WallTime seen_at;       // what was the latest time then
  };

  void forget_old();

  const Options options_;
  WallTime now_ = WallTime::min();
  RecentTable<Known> known_;
  std::uint64_t forgotten_ = 0;
};

}  // namespace carillon::notification
