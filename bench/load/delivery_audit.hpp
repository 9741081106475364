#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <future>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "load/event_book.hpp"
#include "load/faults.hpp"
#include "load/histogram.hpp"

namespace carillon::bench {

// When the events of a book are due: latencies count from then, whatever kept the publisher.
struct Schedule {
  MonoTime start;
  std::chrono::nanoseconds interval{0};

  [[nodiscard]] MonoTime due(std::uint64_t number) const {
    return start + interval * static_cast<std::int64_t>(number);
  }
};

// Holds every delivery of a run against the book: each client gets each event that is for its user exactly once, in the
// order of the book, with the payload that was published and the same bytes as everybody else. Client c is of user
// c % users. On the clients' thread, but for what is said otherwise; book and clients outlive it.
class DeliveryAudit {
 public:
  // `keeps_arrivals`: when each client got each event, four bytes a delivery, for arrivals().
  DeliveryAudit(const EventBook& book, const Schedule& schedule, std::uint32_t clients, std::uint32_t users,
                bool keeps_arrivals);

  void on_notification(std::uint32_t client, std::string_view text, MonoTime now);

  // Another thread may wait until all deliveries that are due have come. False when they have not within `patience`.
  [[nodiscard]] bool wait_for_all(milliseconds patience);

  // The rest when the clients' thread is done with this audit. Adds what is missing to the faults.
  [[nodiscard]] Faults conclude() const;
  [[nodiscard]] std::uint64_t delivered() const { return delivered_; }
  [[nodiscard]] const Histogram& latency(EventKind kind) const { return latencies_.at(static_cast<std::size_t>(kind)); }
  // From the event's due time to each client that got it, ascending.
  [[nodiscard]] std::vector<std::chrono::microseconds> arrivals(std::size_t number) const;

 private:
  [[nodiscard]] bool is_as_published(std::size_t number, std::string_view text);

  const EventBook& book_;
  Schedule schedule_;
  std::uint32_t users_;
  std::uint64_t due_ = 0;
  std::uint64_t delivered_ = 0;
  std::vector<std::uint32_t> next_;       // by client: the least number that may come
  std::vector<std::uint32_t> got_;        // by client: how many came
  std::vector<std::size_t> text_hashes_;  // by event: of the first one's bytes
  std::array<Histogram, kEventKinds> latencies_;
  std::vector<std::vector<std::uint32_t>> arrivals_;  // by event, microseconds
  Faults faults_;
  std::promise<void> all_came_;
  std::future<void> all_have_come_ = all_came_.get_future();
};

}  // namespace carillon::bench
