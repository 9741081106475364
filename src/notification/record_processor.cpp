#include "notification/record_processor.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "protocol/server_message.hpp"

namespace carillon::notification {

namespace {

using Fate = Outcome::Fate;

Outcome withhold(std::string_view reason) {
  return {.fate = Fate::withheld, .reason = reason};
}

Outcome bury(protocol::EnvelopeFault fault) {
  return {.fate = Fate::buried, .fault = std::move(fault)};
}

protocol::EnvelopeFault id_conflict() {
  return {.pointer = "/id", .code = "id_conflict", .message = "belongs to an earlier event with other content"};
}

protocol::EnvelopeFault owner_mismatch() {
  return {.pointer = "/user_id", .code = "owner_mismatch", .message = "must be the user of the order's first update"};
}

}  // namespace

RecordProcessor::RecordProcessor(const Options& options)
    : filters_duplicates_(options.filters_duplicates), orders_(options.orders), duplicates_(options.duplicates) {}

Outcome RecordProcessor::process(const eventlog::StoredRecord& record, const Moment& moment) {
  auto event = protocol::parse_envelope(record.bytes, record.logged_at);
  if (!event) return bury(std::move(event.error()));
  if (filters_duplicates_) {
    const auto verdict = duplicates_.check(*event, record.logged_at);
    if (verdict == DuplicateFilter::Verdict::conflict) return bury(id_conflict());
    if (verdict == DuplicateFilter::Verdict::repeat) return withhold("duplicate");
  }
  const auto decision = orders_.decide(*event, record.ordinal, record.logged_at);
  if (decision.ruling == Ruling::owner_mismatch) return bury(owner_mismatch());
  if (decision.ruling != Ruling::publish) return withhold(to_string(decision.ruling));
  return publish(std::move(*event), record, moment, decision.previous);
}

Outcome RecordProcessor::publish(Event event, const eventlog::StoredRecord& record, const Moment& moment,
                                 Ordinal previous) {
  Outcome outcome{.fate = record.is_kept ? Fate::kept : Fate::published};
  const WallTime event_time = event.timestamp.value_or(record.logged_at);
  const WallTime reached_at = moment.is_history || record.is_kept ? record.logged_at : moment.wall;
  outcome.is_late = reached_at - event_time > protocol::lateness_limit(event.kind);
  auto encoded = protocol::encode_notification(event, record.logged_at, record.position, outcome.is_late);

  auto publication = std::make_shared<Publication>();
  publication->sequence = record.is_kept ? 0 : next_sequence_++;
  publication->ordinal = record.ordinal;
  publication->lane = record.lane;
  publication->offset = record.offset;
  publication->position = record.position;
  publication->kind = event.kind;
  publication->level = event.level;
  publication->owner = std::move(event.user_id);
  publication->audience = std::move(event.audience);
  publication->event_time = event_time;
  publication->accepted_at = moment.mono - std::max(milliseconds{0}, moment.wall - record.logged_at);
  publication->published_at = moment.mono;
  publication->frame = std::move(encoded.frame);
  publication->mark_at = encoded.mark_at;
  if (event.order) {
    publication->status = event.order->status;
    publication->order_id = std::move(event.order->order_id);
    outcome.step = {.ordinal = record.ordinal, .previous = previous, .is_terminal = is_terminal(event.order->status)};
  }
  outcome.publication = std::move(publication);
  return outcome;
}

}  // namespace carillon::notification
