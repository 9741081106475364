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

// When the calls that publish a book are due: latencies count from then, whatever kept the publisher.
struct Schedule {
  MonoTime start;
  std::chrono::nanoseconds interval{0};
  std::uint32_t events_per_call = 1;

  [[nodiscard]] MonoTime due(std::uint64_t call) const { return start + interval * static_cast<std::int64_t>(call); }
  [[nodiscard]] MonoTime due_of_event(std::uint64_t number) const { return due(number / events_per_call); }
};

// Whose deliveries are looked at. Client c is of user c % users.
struct Audience {
  std::uint32_t clients = 0;
  std::uint32_t users = 1;
  std::uint32_t untimed = 0;  // so many first clients count for everything but latency
};

// Holds every delivery of a run against the book: each client gets each event that is for its user exactly once, in the
// order of the book, with the payload that was published and, but for the mark of a replay, the same bytes as everybody
// else. On the clients' thread, but for what is said otherwise; the book outlives it.
class DeliveryAudit {
 public:
  // `keeps_arrivals`: when each client got each event, four bytes a delivery, for arrivals().
  DeliveryAudit(const EventBook& book, const Schedule& schedule, const Audience& audience, bool keeps_arrivals);

  void on_notification(std::uint32_t client, std::string_view text, MonoTime now);

  // Another thread may wait until all deliveries that are due have come. False when they have not within `patience`.
  [[nodiscard]] bool wait_for_all(milliseconds patience);

  // The rest when the clients' thread is done with this audit. Adds what is missing to the faults.
  [[nodiscard]] Faults conclude() const;
  [[nodiscard]] std::uint64_t delivered() const { return delivered_; }
  [[nodiscard]] const Histogram& latency(EventKind kind) const { return latencies_.at(static_cast<std::size_t>(kind)); }
  // From the event's due time to each timed client that got it, ascending.
  [[nodiscard]] std::vector<std::chrono::microseconds> arrivals(std::size_t number) const;

 private:
  [[nodiscard]] bool is_as_published(std::size_t number, std::string_view text);
  void time(std::size_t number, std::chrono::nanoseconds latency);

  const EventBook& book_;
  Schedule schedule_;
  Audience audience_;
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
