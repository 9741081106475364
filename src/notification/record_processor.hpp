#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.hpp"
#include "event/event.hpp"
#include "event/publication.hpp"
#include "eventlog/event_log.hpp"
#include "notification/duplicate_filter.hpp"
#include "notification/order_rules.hpp"
#include "protocol/envelope.hpp"

namespace carillon::notification {

// When a record is looked at.
struct Moment {
  WallTime wall;
  MonoTime mono;
  bool is_history = false;  // the record was in the log before this node had caught up with it: nobody was waiting here
};

// What becomes of one record.
struct Outcome {
  enum class Fate : std::uint8_t {
    published,  // a publication for everybody it concerns
    kept,       // a publication for the hubs' state only: the record comes from before the log's first (StoredRecord)
    withheld,   // a valid event that says nothing new or comes too late; told to nobody
    buried,     // a dead letter
  };
  Fate fate = Fate::buried;
  PublicationPtr publication{};                        // published, kept
  std::optional<eventlog::Settled::OrderStep> step{};  // published, kept: of an order_update
  std::string_view reason{};                           // withheld: `duplicate` or the ruling's word; never freed
  std::optional<protocol::EnvelopeFault> fault{};      // buried
  bool is_late = false;                                // published, kept: and marked so
};

// The core of the NotificationService: one record in, what becomes of it out. No thread, no clock, no I/O of its own.
//
// Which records are published, withheld or buried is a pure function of the records seen, in the order of the log:
// every node decides alike. So are the bytes of a publication, but for the mark `late` (protocol 4.1) of what came
// while the node followed: that one says when this node published it, `moment.wall` against the event's time. For
// history, which was published in time or not by a node before, it says when the log got it: a node that was down, and
// every node that reads it again, makes the same bytes.
class RecordProcessor {
 public:
  struct Options {
    OrderRules::Options orders{};
    bool filters_duplicates = false;  // where the log does not keep an event id to one record
    DuplicateFilter::Options duplicates{};
  };

  explicit RecordProcessor(const Options& options);

  // Records come in the order of the log, each once. Publications are numbered from 1; kept ones have the number 0.
  [[nodiscard]] Outcome process(const eventlog::StoredRecord& record, const Moment& moment);

  [[nodiscard]] const OrderRules& orders() const { return orders_; }
  [[nodiscard]] const DuplicateFilter& duplicates() const { return duplicates_; }

 private:
  [[nodiscard]] Outcome publish(Event event, const eventlog::StoredRecord& record, const Moment& moment,
                                Ordinal previous);

  const bool filters_duplicates_;
  OrderRules orders_;
  DuplicateFilter duplicates_;
  std::uint64_t next_sequence_ = 1;
};

}  // namespace carillon::notification
