#include "simulation/breakage.hpp"

namespace carillon::simulation {

namespace {

constexpr Variant kVariants[] = {
    {Broken::drop_publication, "drop_publication", "a publication does not reach one shard"},
    {Broken::repeat_publication, "repeat_publication", "a publication reaches a shard twice"},
    {Broken::swap_publications, "swap_publications", "two publications reach a shard the wrong way round"},
    {Broken::misroute_order, "misroute_order", "an order update goes to another user"},
    {Broken::widen_audience, "widen_audience", "an event that is for some goes to all"},
    {Broken::drop_at_seam, "drop_at_seam", "the first of several publications that come at once is lost"},
    {Broken::other_bytes, "other_bytes", "a digit changes on its way to one shard"},
    {Broken::accept_after_terminal, "accept_after_terminal", "an order goes on after its end"},
    {Broken::accept_lower_filled, "accept_lower_filled", "what is filled of an order falls"},
    {Broken::accept_equal_repeat, "accept_equal_repeat", "an update that says nothing new is published"},
    {Broken::accept_submitted_again, "accept_submitted_again", "an order goes back to SUBMITTED"},
    {Broken::accept_other_owner, "accept_other_owner", "an order changes its user"},
    {Broken::accept_duplicate, "accept_duplicate", "an event that a producer repeats is published twice"},
    {Broken::accept_id_conflict, "accept_id_conflict", "an id comes again with other content, and is published"},
    {Broken::withhold_valid, "withhold_valid", "an event that is good is withheld"},
    {Broken::withhold_on_one_node, "withhold_on_one_node", "one node withholds what the others publish"},
    {Broken::history_is_late, "history_is_late", "a node that starts calls its history late"},
    {Broken::skip_kept_records, "skip_kept_records", "a node that starts ignores the orders that the log kept"},
    {Broken::skip_trim_notice, "skip_trim_notice", "a node that starts does not know that its log was trimmed"},
    {Broken::log_forgets_an_open_order, "log_forgets_an_open_order", "the log trims an order that is open"},
    {Broken::log_forgets_an_end, "log_forgets_an_end",
     "the log trims an order's end and holds an update that came after it"},
    {Broken::begin_one_late, "begin_one_late", "a resume begins one event too late"},
    {Broken::begin_one_early, "begin_one_early", "a resume begins one event too early"},
    {Broken::complete_when_trimmed, "complete_when_trimmed", "a resume is called complete and is not"},
    {Broken::trimmed_when_complete, "trimmed_when_complete", "a resume is refused that could be complete"},
    {Broken::gap_not_told, "gap_not_told", "a resume that cannot be complete is not answered"},
    {Broken::ignore_epoch, "ignore_epoch", "a position of another log is taken for one of this"},
    {Broken::accept_future_position, "accept_future_position", "a position that was never given out is waited for"},
    {Broken::malformed_is_epoch, "malformed_is_epoch", "what is no position is called one of another log"},
    {Broken::covered_come_again, "covered_come_again", "what a client has of a lane comes again from a node that lags"},
    {Broken::ahead_in_one_lane_only, "ahead_in_one_lane_only",
     "a client that is ahead in several lanes is taken to be ahead in one"},
    {Broken::event_before_auth_ok, "event_before_auth_ok", "events come before the answer to the resume"},
    {Broken::drop_frame, "drop_frame", "a frame is not written"},
    {Broken::repeat_frame, "repeat_frame", "a frame is written twice"},
    {Broken::swap_frames, "swap_frames", "two frames are written the wrong way round"},
    {Broken::lose_replayed_mark, "lose_replayed_mark", "a replayed notification is not marked"},
    {Broken::mark_after_live, "mark_after_live", "a live notification is marked as replayed"},
    {Broken::live_too_early, "live_too_early", "live comes before the last of what is replayed"},
    {Broken::live_twice, "live_twice", "live comes twice"},
    {Broken::live_never, "live_never", "live does not come"},
    {Broken::replayed_count_off, "replayed_count_off", "live counts one more than was replayed"},
    {Broken::live_position_ahead, "live_position_ahead",
     "live names a position with an event before it that did not come"},
    {Broken::live_position_behind, "live_position_behind", "live names a position before an event that came"},
    {Broken::live_where_the_node_is, "live_where_the_node_is",
     "live tells a client that is ahead in a lane where the node is"},
    {Broken::ids_of_the_node, "ids_of_the_node", "the id that a client which is ahead gets is where the node is"},
    {Broken::ignore_grants, "ignore_grants", "a session gets what its token does not allow"},
    {Broken::ignore_refresh, "ignore_refresh", "a refreshed token changes nothing of what a session gets"},
    {Broken::cut_off_at_a_gap, "cut_off_at_a_gap", "a client that fell out of the window goes on behind the gap"},
    {Broken::drop_for_slow_client, "drop_for_slow_client", "what waits for a slow client is thrown away in silence"},
    {Broken::leave_old_bytes, "leave_old_bytes", "a client that comes back gets what its old connection had queued"},
    {Broken::beat_count_off, "beat_count_off", "a heartbeat counts one more than was sent"},
    {Broken::beat_position_ahead, "beat_position_ahead", "a heartbeat names a position that the client is not at"},
    {Broken::beat_position_stuck, "beat_position_stuck", "a heartbeat always names the same position"},
    {Broken::snapshot_misses_order, "snapshot_misses_order", "an open order is not in the snapshot"},
    {Broken::snapshot_misses_alert, "snapshot_misses_alert", "an alert is not in the snapshot"},
    {Broken::snapshot_with_terminal_order, "snapshot_with_terminal_order",
     "an order that has ended is in the snapshot"},
    {Broken::snapshot_of_other_user, "snapshot_of_other_user", "another user's order is in the snapshot"},
    {Broken::snapshot_with_old_alert, "snapshot_with_old_alert", "an alert of more than an hour is in the snapshot"},
    {Broken::snapshot_out_of_order, "snapshot_out_of_order", "the snapshot is not in the log's order"},
    {Broken::snapshot_twice, "snapshot_twice", "something is in the snapshot twice"},
    {Broken::snapshot_unmarked, "snapshot_unmarked", "something of the snapshot is not marked"},
};

}  // namespace

std::span<const Variant> variants() {
  return kVariants;
}

}  // namespace carillon::simulation
