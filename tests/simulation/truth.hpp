#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.hpp"
#include "event/event.hpp"
#include "event/position.hpp"
#include "event/principal.hpp"
#include "simulation/scenario.hpp"

namespace carillon::simulation {

// A place in the log: of each of its lanes the offset that was passed.
using Lanes = std::vector<std::uint64_t>;
[[nodiscard]] bool covers(const Lanes& place, const Lanes& other);

// One record as its producer meant it; what the core has to find out from its bytes.
struct Meaning {
  bool is_valid = true;
  EventKind kind = EventKind::system_alert;
  std::size_t lane = 0;  // what decides of each other is in one lane
  std::string id{};      // empty: the producer gave none
  std::optional<WallTime> timestamp{};
  std::size_t user = 0;        // order_update: whose, of kUsers
  std::uint32_t audience = 0;  // a bit for each user; 0: everybody
  std::string payload{};       // as it must arrive
  std::size_t order = 0;       // order_update
  OrderStatus status{};
  std::int64_t filled = 0;  // thousandths
  AlertLevel level{};

  bool operator==(const Meaning&) const = default;
};

// A record in the log, and what has to become of it.
struct Entry {
  std::size_t lane = 0;
  std::uint64_t offset = 0;
  std::string name;  // for people
  WallTime logged_at;
  std::string bytes;
  Meaning meaning;
  std::string_view reason;             // why it is told to nobody; empty: it is published
  std::optional<std::size_t> repeats;  // the entry that had its id before

  [[nodiscard]] bool is_published() const { return reason.empty(); }
  [[nodiscard]] WallTime time() const { return meaning.timestamp.value_or(logged_at); }
};

// The promise, told a second time and as plainly as it goes: which records of the log are published, who may see each,
// and what stands at any of them. Shares no code with what it judges. It knows each record from its producer, so that
// nothing here reads an envelope, and it looks at the whole log whenever it is asked, so that nothing here is kept up.
class Truth {
 public:
  Truth(const Scenario& scenario, std::uint32_t epoch) : scenario_(scenario), epoch_(epoch), lanes_(scenario.lanes) {}

  // At the end of the lane that `meaning` names.
  void append(std::uint64_t offset, WallTime now, std::string bytes, Meaning meaning);

  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  [[nodiscard]] std::uint32_t epoch() const { return epoch_; }
  // The entries of each lane.
  [[nodiscard]] const std::vector<std::vector<std::size_t>>& lanes() const { return lanes_; }
  [[nodiscard]] Lanes begin() const { return Lanes(lanes_.size()); }
  [[nodiscard]] Lanes end() const;
  [[nodiscard]] std::string position_of(const Lanes& place) const;
  // How many of the lane's entries are up to `offset`.
  [[nodiscard]] std::size_t count_up_to(std::size_t lane, std::uint64_t offset) const;
  // What a position that a client names is worth (protocol 6.1).
  [[nodiscard]] std::expected<Lanes, GapReason> read(std::string_view position) const;

  // The first entry after `place` that has to be told to this user; the size when there is none.
  [[nodiscard]] std::size_t next_for(std::size_t user, Grants grants, const Lanes& place) const;
  [[nodiscard]] static bool concerns(const Entry& entry, std::size_t user, Grants grants);
  // The snapshot (protocol 6.3) as of `place` at `now`, of a node that read the log from `floor` on and the orders from
  // before it.
  [[nodiscard]] std::vector<std::size_t> snapshot(std::size_t user, Grants grants, const Lanes& place, WallTime now,
                                                  std::size_t floor) const;
  [[nodiscard]] static bool is_over(OrderStatus status);

 private:
  [[nodiscard]] std::string_view judge(Entry& entry);
  [[nodiscard]] std::string_view judge_id(Entry& entry);
  [[nodiscard]] std::string_view judge_order(const Entry& entry) const;

  const Scenario& scenario_;
  const std::uint32_t epoch_;
  std::vector<Entry> entries_;
  std::vector<std::vector<std::size_t>> lanes_;
  std::unordered_map<std::string, std::size_t> ids_;     // the event that an id belongs to
  std::unordered_map<std::size_t, std::size_t> orders_;  // the last published entry of each
};

}  // namespace carillon::simulation
