#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>

#include "base/clock.hpp"
#include "event/event.hpp"

namespace carillon::notification {

// Keeps an event id to one event, for logs that do not do so themselves (product.md, "Nothing repeated"): producers and
// brokers repeat themselves. Content is what the event means, not its white space or the order of its members.
//
// A pure function of the events it was asked about, in the order of the log; its time is the latest `logged_at` it has
// seen. An event without id has its position as id (protocol 8.1) and is nobody's repeat. One thread.
class DuplicateFilter {
 public:
  struct Options {
    milliseconds age =
        std::chrono::hours{1};            // an id is forgotten when more than this has passed since its first event
    std::size_t entries_max = 1'000'000;  // at least 1; beyond it the oldest is forgotten
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

  [[nodiscard]] std::size_t remembered() const { return contents_.size(); }
  // Ids that left because of `entries_max`.
  [[nodiscard]] std::uint64_t forgotten() const { return forgotten_; }

 private:
  using Contents = std::unordered_map<std::string, std::uint64_t>;
  struct Arrival {
    WallTime at;
    const std::string* id;  // the key in contents_
  };

  void forget_old();
  void forget_first();

  const Options options_;
  WallTime now_ = WallTime::min();
  Contents contents_;  // the hash of each id's content
  std::deque<Arrival> arrivals_;
  std::uint64_t forgotten_ = 0;
};

}  // namespace carillon::notification
