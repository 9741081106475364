#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "fanout/judge.hpp"
#include "fanout/mark.hpp"
#include "load/faults.hpp"
#include "load/histogram.hpp"
#include "load/report.hpp"

namespace carillon::bench {

// The events of a run that go to everybody: number 0 to try the peer with, then bursts of `together`, of which the
// first `warm_up` are not measured.
struct Bursts {
  std::uint32_t together = 1;
  std::uint64_t warm_up = 0;
  std::uint64_t measured = 0;

  [[nodiscard]] std::uint64_t all() const { return 1 + warm_up + measured; }
  [[nodiscard]] std::uint64_t first_measured() const { return 1 + warm_up; }
  [[nodiscard]] std::uint64_t burst_of(std::uint64_t number) const {
    return number == 0 ? 0 : 1 + (number - 1) / together;
  }
  [[nodiscard]] std::uint64_t first_of(std::uint64_t burst) const { return burst == 0 ? 0 : last_of(burst - 1) + 1; }
  [[nodiscard]] std::uint64_t last_of(std::uint64_t burst) const { return burst * together; }
};

// Holds every delivery against the run: each client gets each event, once and in order. On the clients' thread, but for
// what is said otherwise.
class Reception final : public Judge {
 public:
  Reception(Mark mark, const Bursts& bursts, std::uint32_t clients);

  void on_message(std::uint32_t client, std::string_view text, MonoTime now) override;

  // Before a burst is published: when that was due, which its latencies count from. The publisher's thread.
  void set_due(std::uint64_t burst, MonoTime due);
  // Until every client, or half of them, have all of the first so many bursts. Any thread.
  [[nodiscard]] bool wait_for(std::uint64_t bursts, milliseconds patience);
  [[nodiscard]] bool wait_for_half(std::uint64_t bursts, milliseconds patience);
  // Of the event that the peer was tried with, after wait_for(1). Any thread.
  [[nodiscard]] std::size_t trial_bytes() const { return trial_bytes_; }

  // The rest when the clients' thread has ended, and so many bursts were published.

  // Adds what is missing.
  [[nodiscard]] Faults conclude(std::uint64_t bursts) const;
  // Of what was measured: of all deliveries, and of each burst's last event.
  void set_figures(std::uint64_t bursts, Report& report) const;
  [[nodiscard]] std::uint64_t deliveries() const { return latency_.count(); }

 private:
  struct Burst {
    std::uint32_t came = 0;
    std::chrono::nanoseconds first{0}, median{0}, last{0};
  };

  void measure(std::chrono::nanoseconds latency, std::size_t bytes);
  void count(Burst& burst, std::chrono::nanoseconds latency);
  void tell(std::uint64_t& bursts);
  [[nodiscard]] bool wait(const std::uint64_t& bursts, std::uint64_t count, milliseconds patience);
  [[nodiscard]] double median_ms(std::uint64_t bursts, std::chrono::nanoseconds Burst::* figure) const;

  const Mark mark_;
  const Bursts plan_;
  const std::uint32_t clients_;
  std::vector<std::atomic<MonoTime::rep>> due_;  // by burst
  std::vector<std::uint64_t> next_;              // by client
  std::vector<Burst> bursts_;
  Histogram latency_;
  std::size_t bytes_min_ = SIZE_MAX, bytes_max_ = 0;
  std::atomic<std::size_t> trial_bytes_ = 0;
  Faults faults_;

  std::mutex mutex_;
  std::condition_variable grew_;
  // Guarded by mutex_: so many first bursts are everywhere, or with more than half of the clients.
  std::uint64_t complete_ = 0, halfway_ = 0;
};

}  // namespace carillon::bench
