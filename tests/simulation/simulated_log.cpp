#include "simulation/simulated_log.hpp"

#include <algorithm>
#include <utility>

namespace carillon::simulation {

SimulatedLog::SimulatedLog(const Scenario& scenario, Breakage& breakage, std::uint32_t epoch)
    : scenario_(scenario),
      breakage_(breakage),
      truth_(std::make_unique<Truth>(scenario, epoch)),
      positions_(std::in_place, 's', epoch) {}

void SimulatedLog::append(Random& random, WallTime now, std::string bytes, Meaning meaning) {
  const std::uint64_t offset = truth_->end()[meaning.lane] + 1 + random.below(3);
  truth_->append(offset, now, std::move(bytes), std::move(meaning));
}

void SimulatedLog::recreate() {
  const std::uint32_t epoch = truth_->epoch() + 1;
  truth_ = std::make_unique<Truth>(scenario_, epoch);
  positions_.emplace('s', epoch);
  steps_.clear();
  first_ = 0;
  origin_ = Place();
  kept_.clear();
}

std::expected<Place, GapReason> SimulatedLog::locate(std::string_view position) const {
  auto place = positions_->locate(position);
  if (place && place->lanes() > scenario_.lanes) return std::unexpected(GapReason::unknown);
  return place;
}

bool SimulatedLog::has_reached(const Place& place) const {
  const Lanes end = truth_->end();
  for (std::size_t lane = 0; lane < place.lanes(); ++lane)
    if (place.at(lane) > Offset{end[lane]}) return false;
  return true;
}

eventlog::StoredRecord SimulatedLog::record(std::size_t entry, bool is_kept) const {
  const Entry& found = truth_->entries()[entry];
  return {.position = {},
          .lane = static_cast<std::uint32_t>(found.lane),
          .offset = {found.offset},
          .logged_at = found.logged_at,
          .bytes = found.bytes,
          .is_kept = is_kept};
}

// Several nodes settle the same steps; the first to do so has seen what each came after.
void SimulatedLog::settle(const eventlog::Settled::OrderStep& step) {
  steps_.try_emplace(step.ordinal, step);
}

// The last trimmed step of each order stays: as long as the order is open, and then until no record that is left can
// be an update that it refuses.
void SimulatedLog::trim(std::size_t first, WallTime now) {
  const auto& entries = truth_->entries();
  std::vector<Ordinal> overtaken;
  for (; first_ < first; ++first_) {
    origin_.pass(entries[first_].lane, {entries[first_].offset});
    const auto step = steps_.find(first_ + 1);
    if (step == steps_.end()) continue;
    overtaken.push_back(step->second.previous);
    kept_.push_back(first_);
  }
  const WallTime oldest_left = first_ < entries.size() ? entries[first_].logged_at : now;
  std::erase_if(kept_, [&](std::size_t kept) {
    const Entry& entry = entries[kept];
    if (std::ranges::find(overtaken, kept + 1) != overtaken.end()) return true;
    if (!steps_.at(kept + 1).is_terminal) return breakage_.strikes(Broken::log_forgets_an_open_order);
    if (breakage_.strikes(Broken::log_forgets_an_end, 100)) return now - entry.logged_at > scenario_.retention;
    return oldest_left - entry.logged_at > scenario_.terminal_memory;
  });
}

}  // namespace carillon::simulation
