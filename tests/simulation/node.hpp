#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.hpp"
#include "event/publication.hpp"
#include "hub/hub.hpp"
#include "notification/record_processor.hpp"
#include "simulation/breakage.hpp"
#include "simulation/random.hpp"
#include "simulation/scenario.hpp"
#include "simulation/simulated_log.hpp"

namespace carillon::simulation {

// One core of a node: its hub, and what is on its way to it.
class Shard {
 public:
  Shard(const Scenario& scenario, Breakage& breakage) : hub_(scenario.window, kSlice), breakage_(breakage) {}

  [[nodiscard]] hub::Hub& hub() { return hub_; }
  // The end of the log, as far as this hub has it.
  [[nodiscard]] const Position& published_up_to() const { return published_up_to_; }
  [[nodiscard]] bool is_idle() const { return mails_.empty(); }

  void set_origin(const Position& origin);
  void send(std::vector<PublicationPtr> publications, bool is_kept, MonoTime due);
  // Gives the hub what has arrived by now, at most `mails_max` batches.
  void receive(MonoTime now, std::size_t mails_max);

 private:
  struct Mail {
    std::vector<PublicationPtr> publications;
    bool is_kept = false;
    MonoTime due;
  };
  void tamper(std::vector<PublicationPtr>& publications);

  static constexpr std::size_t kSlice = 2;  // of a sweep: fewer than there are clients

  hub::Hub hub_;
  Breakage& breakage_;
  std::deque<Mail> mails_;  // first in, first out, whatever their delay
  Position published_up_to_;
  std::uint64_t next_sequence_ = 1;  // while something is broken, publications are numbered here
};

// One server: follows the log, decides with the real rules, and hands over to the real hubs.
class Node {
 public:
  // Begins as a process does: with what the log kept, then its records from the first on.
  Node(std::size_t index, const Scenario& scenario, Breakage& breakage, SimulatedLog& log, Random& random,
       const Clock& clock);

  [[nodiscard]] std::size_t index() const { return index_; }
  [[nodiscard]] std::vector<std::unique_ptr<Shard>>& shards() { return shards_; }
  // Takes at most `records_max` records that it has not seen. The answer is what it did wrong, if anything.
  [[nodiscard]] std::optional<std::string> follow(std::size_t records_max);
  // It lets clients in: every hub has what was in the log when it began.
  [[nodiscard]] bool is_ready() const;
  [[nodiscard]] std::size_t first_entry() const { return first_; }  // the first it could read
  // Those it has read, in its order.
  [[nodiscard]] const std::vector<std::size_t>& read_entries() const { return read_; }
  [[nodiscard]] std::size_t first_unread() const;
  [[nodiscard]] const Lanes& origin() const { return origin_; }
  // Grows along its order, kept ones first.
  [[nodiscard]] Ordinal ordinal_of(std::size_t entry) const { return ordinals_.at(entry); }
  // Whether it took something that concerns this user at that moment.
  [[nodiscard]] bool took(MonoTime at, std::size_t user, Grants grants) const;
  // Whether a publication of this entry is marked late here (protocol 4.1).
  [[nodiscard]] bool is_late(std::size_t entry) const;

 private:
  [[nodiscard]] std::optional<std::string> take(std::size_t entry, bool is_kept, std::vector<PublicationPtr>& out);
  [[nodiscard]] bool draw_lane();  // false: it has read all
  void settle(const eventlog::Settled::OrderStep& step);
  void break_outcome(const eventlog::StoredRecord& record, const notification::Moment& moment,
                     notification::Outcome& outcome);
  void send(const std::vector<PublicationPtr>& publications, bool is_kept);

  const std::size_t index_;
  Breakage& breakage_;
  SimulatedLog& log_;
  Random& random_;
  const Clock& clock_;
  notification::RecordProcessor::Options options_;
  notification::RecordProcessor processor_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::size_t first_, history_end_;  // entries of the log
  const Lanes origin_;
  std::vector<std::size_t> next_;  // of each lane's entries, the first that it has not read
  std::size_t lane_ = 0;           // that it reads from
  Place place_;
  Ordinal last_ordinal_ = 0;
  std::vector<std::size_t> read_;
  std::unordered_map<std::size_t, Ordinal> ordinals_;  // by entry
  std::unordered_map<Ordinal, std::size_t> entries_;   // the other way round
  struct Taken {
    WallTime for_lateness;
    MonoTime at;
  };
  std::unordered_map<std::size_t, Taken> taken_;  // by entry
};

}  // namespace carillon::simulation
