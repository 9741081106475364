#pragma once

#include <atomic>
#include <cstdint>

#include "fanout/publisher.hpp"
#include "fanout/reception.hpp"
#include "load/faults.hpp"
#include "load/histogram.hpp"

namespace carillon::bench {

// Publishes the bursts of a run, at one pace or another, and waits until they came. One thread. Each call goes on where
// the last one stopped, and tells whether that can be done again: what went wrong is in faults().
class Broadcasting {
 public:
  // All outlive it.
  Broadcasting(Publisher& publisher, Reception& reception, const Bursts& plan)
      : publisher_(publisher), reception_(reception), plan_(plan) {}

  // The event that the peer is tried with: from then on the publisher knows how large its messages come out.
  bool try_peer();
  // Up to and without `end`: the next one when everybody has the last.
  bool one_by_one(std::uint64_t end);
  // The next one when half of the clients have the last, so that the server is never without one, until `is_over`.
  bool back_to_back(const std::atomic<bool>& is_over);
  // All that are left, when they are due.
  bool on_schedule(MonoTime start, std::chrono::nanoseconds interval);

  // Bursts.
  [[nodiscard]] std::uint64_t published() const { return next_; }
  // By how much those on schedule were late.
  [[nodiscard]] const Histogram& behind() const { return behind_; }
  [[nodiscard]] const Faults& faults() const { return faults_; }

 private:
  Result<> publish(std::uint64_t end);
  bool wait_for(std::uint64_t bursts);
  bool is_fine(const Result<>& result);

  Publisher& publisher_;
  Reception& reception_;
  const Bursts& plan_;
  std::uint64_t next_ = 0;
  Histogram behind_;
  Faults faults_;
};

}  // namespace carillon::bench
