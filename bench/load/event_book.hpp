#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "event/event.hpp"

namespace carillon::bench {

// The name of a user of the bench, by number.
[[nodiscard]] std::string user_name(std::uint32_t user);

// The events of one run: numbered from 0, made on demand, so that whoever gets one can tell which it is and whether it
// is meant for them. Every event carries its mark, the run's name and its number, in a payload member of its own, which
// the server passes on unchanged (protocol 5). Immutable; any thread.
class EventBook {
 public:
  // A third each of signals, order updates to a random one of `users`, and alerts to all. Every update is the end of an
  // order of its own.
  [[nodiscard]] static EventBook mixed(std::string run, std::size_t count, std::uint32_t users);
  // CRITICAL alerts to all.
  [[nodiscard]] static EventBook alerts(std::string run, std::size_t count);
  // Orders of the users in turn, and signals to all among them.
  struct Orders {
    std::size_t count = 0;  // events in all
    std::uint32_t users = 1;
    std::uint32_t first_user = 0;  // user 0 of the book has the name of that one
    std::uint32_t favoured = 0;    // four of five updates go to so many first users; 0: all are alike
    double to_all = 0;             // the share of signals
    std::uint32_t life = 3;        // updates of an order: submitted, partially filled as long as it takes, filled
  };
  [[nodiscard]] static EventBook orders(std::string run, const Orders& plan);

  [[nodiscard]] std::size_t size() const { return events_.size(); }
  [[nodiscard]] EventKind kind(std::size_t number) const { return events_[number].kind; }
  [[nodiscard]] std::string id(std::size_t number) const;
  [[nodiscard]] std::string payload(std::size_t number) const;
  // As POST /v1/events takes it (protocol 8).
  [[nodiscard]] std::string envelope(std::size_t number) const;
  // So many of them from that number on.
  [[nodiscard]] std::string batch(std::size_t first, std::size_t count) const;

  [[nodiscard]] bool is_for(std::size_t number, std::uint32_t user) const;
  // How many of the events are for that user.
  [[nodiscard]] std::size_t count_for(std::uint32_t user) const;
  // The number in an event's mark; nothing when it is not of this run.
  [[nodiscard]] std::optional<std::size_t> number_in(std::string_view notification) const;

 private:
  struct Planned {
    EventKind kind;
    std::uint32_t user = 0;    // order_update: whose
    std::uint32_t update = 0;  // order_update: which one for that user
  };

  explicit EventBook(std::string run) : run_(std::move(run)) {}
  [[nodiscard]] std::string order_payload(std::size_t number) const;

  std::string run_;
  std::uint32_t first_user_ = 0;
  std::uint32_t life_ = 0;  // updates of an order; 0: each event has an order of its own
  std::vector<Planned> events_;
  std::size_t broadcasts_ = 0;
  std::vector<std::uint32_t> orders_of_;  // by user
};

// A name that no other run has.
[[nodiscard]] std::string make_run_name();

}  // namespace carillon::bench
