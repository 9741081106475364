#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "simulation/random.hpp"

namespace carillon::simulation {

// Ways in which the core could be wrong. The simulation is only worth something if it notices each of them.
enum class Broken : std::uint8_t {
  nothing,
  // publications on their way to one shard
  drop_publication,
  repeat_publication,
  swap_publications,
  misroute_order,
  widen_audience,
  drop_at_seam,
  other_bytes,
  // what becomes of a record
  accept_after_terminal,
  accept_lower_filled,
  accept_equal_repeat,
  accept_submitted_again,
  accept_other_owner,
  accept_duplicate,
  accept_id_conflict,
  withhold_valid,
  withhold_on_one_node,
  history_is_late,
  // a restart
  skip_kept_records,
  skip_trim_notice,
  log_forgets_an_open_order,
  log_forgets_an_end,
  // the answer to a resume
  begin_one_late,
  begin_one_early,
  complete_when_trimmed,
  trimmed_when_complete,
  gap_not_told,
  ignore_epoch,
  accept_future_position,
  malformed_is_epoch,
  covered_come_again,
  ahead_in_one_lane_only,
  // what a session writes
  event_before_auth_ok,
  drop_frame,
  repeat_frame,
  swap_frames,
  lose_replayed_mark,
  mark_after_live,
  live_too_early,
  live_twice,
  live_never,
  replayed_count_off,
  live_position_ahead,
  live_position_behind,
  live_where_the_node_is,
  ids_of_the_node,
  ignore_grants,
  ignore_refresh,
  cut_off_at_a_gap,
  drop_for_slow_client,
  leave_old_bytes,
  // heartbeats
  beat_count_off,
  beat_position_ahead,
  beat_position_stuck,
  // snapshots
  snapshot_misses_order,
  snapshot_with_terminal_order,
  snapshot_of_other_user,
  snapshot_out_of_order,
  snapshot_with_old_alert,
  snapshot_misses_alert,
  snapshot_twice,
  snapshot_unmarked,
};

struct Variant {
  Broken broken;
  std::string_view name;
  std::string_view what;
};

// All of them but `nothing`.
[[nodiscard]] std::span<const Variant> variants();

// Breaks one thing, now and then. The places that can be broken ask it.
class Breakage {
 public:
  // Its chance is its own: what is broken changes nothing else of a seed.
  Breakage(Broken broken, std::uint64_t seed) : broken_(broken), random_(seed ^ 0xB0B0B0B0U) {}

  // Whether `broken` happens here and now: always when `chance` is 100 and it is the one.
  [[nodiscard]] bool strikes(Broken broken, std::size_t chance = 30) {
    return broken_ == broken && random_.percent(chance);
  }
  [[nodiscard]] bool is_active() const { return broken_ != Broken::nothing; }
  [[nodiscard]] Random& random() { return random_; }

 private:
  const Broken broken_;
  Random random_;
};

}  // namespace carillon::simulation
