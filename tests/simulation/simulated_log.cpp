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
  truth_->append(truth_->last() + 1 + random.below(3), now, std::move(bytes), std::move(meaning));
}

void SimulatedLog::recreate() {
  const std::uint32_t epoch = truth_->epoch() + 1;
  truth_ = std::make_unique<Truth>(scenario_, epoch);
  positions_.emplace('s', epoch);
  steps_.clear();
  first_ = 0;
  kept_.clear();
}

eventlog::EventLog::Origin SimulatedLog::origin() const {
  const Ordinal ordinal = first_ == 0 ? 0 : truth_->entries()[first_ - 1].ordinal;
  return {.position = positions_->of(ordinal), .ordinal = ordinal};
}

std::expected<Place, GapReason> SimulatedLog::locate(std::string_view position) const {
  const auto number = positions_->number(position);
  if (!number) return std::unexpected(number.error());
  return Place(Offset{*number});
}

eventlog::StoredRecord SimulatedLog::record(std::size_t entry, bool is_kept) const {
  const Entry& found = truth_->entries()[entry];
  return {.position = positions_->of(found.ordinal),
          .ordinal = found.ordinal,
          .offset = {found.ordinal},
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
    const auto step = steps_.find(entries[first_].ordinal);
    if (step == steps_.end()) continue;
    overtaken.push_back(step->second.previous);
    kept_.push_back(first_);
  }
  const WallTime oldest_left = first_ < entries.size() ? entries[first_].logged_at : now;
  std::erase_if(kept_, [&](std::size_t kept) {
    const Entry& entry = entries[kept];
    if (std::ranges::find(overtaken, entry.ordinal) != overtaken.end()) return true;
    if (!steps_.at(entry.ordinal).is_terminal) return breakage_.strikes(Broken::log_forgets_an_open_order);
    if (breakage_.strikes(Broken::log_forgets_an_end, 100)) return now - entry.logged_at > scenario_.retention;
    return oldest_left - entry.logged_at > scenario_.terminal_memory;
  });
}

}  // namespace carillon::simulation
