#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string_view>

#include "event/place.hpp"
#include "fanout/judge.hpp"
#include "fanout/mark.hpp"
#include "load/event_book.hpp"
#include "load/faults.hpp"
#include "load/histogram.hpp"

namespace carillon::bench {

// Holds what the one client gets whose orders are updated among events to all: each of both kinds once and in order,
// and all of them in the order of the log, which their positions tell. On the client's thread, but for what is said
// otherwise.
class FavouredReception final : public Judge {
 public:
  // `orders` outlives it; `mark` is that of the events to all.
  FavouredReception(Mark mark, const EventBook& orders, std::chrono::nanoseconds interval)
      : mark_(std::move(mark)), orders_(orders), interval_(interval) {}

  void on_message(std::uint32_t client, std::string_view text, MonoTime now) override;

  // Before the first update is published: when that is due, which latencies count from. Any thread.
  void set_start(MonoTime start) { start_ = start.time_since_epoch().count(); }
  // Until all updates are here, and so many events to all. Any thread.
  [[nodiscard]] bool wait_for(std::uint64_t to_all, milliseconds patience);

  // The rest when the client's thread has ended. Adds what is missing of that many.
  [[nodiscard]] Faults conclude(std::uint64_t to_all) const;
  [[nodiscard]] const Histogram& latency() const { return latency_; }

 private:
  void check_place(std::string_view text);
  void on_update(std::uint64_t number, MonoTime now);
  void on_event_to_all(std::uint64_t number);

  const Mark mark_;
  const EventBook& orders_;
  const std::chrono::nanoseconds interval_;
  std::atomic<MonoTime::rep> start_ = 0;
  Place last_;
  Histogram latency_;
  Faults faults_;

  std::mutex mutex_;
  std::condition_variable grew_;
  std::uint64_t updates_ = 0, to_all_ = 0;  // guarded by mutex_: so many came
};

}  // namespace carillon::bench
