#include "notification/notification_service.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "protocol/server_message.hpp"
#include "telemetry/log.hpp"

namespace carillon::notification {

namespace {

std::uint64_t bytes_of(const std::vector<eventlog::StoredRecord>& batch) {
  std::uint64_t bytes = 0;
  for (const auto& record : batch) bytes += record.bytes.size() + sizeof record;
  return bytes;
}

}  // namespace

NotificationService::NotificationService(runtime::Loop& loop, eventlog::EventLog& log, FanOut& fan_out,
                                         const Clock& clock, telemetry::Registry& metrics,
                                         const RecordProcessor::Options& options)
    : loop_(loop),
      log_(log),
      fan_out_(fan_out),
      clock_(clock),
      processor_(options),
      withheld_(metrics, "carillon_withheld_total", "events that say nothing new or come too late, by reason"),
      buried_(metrics, "carillon_dead_letters_total", "records of the log that were refused, by reason"),
      orders_forgotten_(
          metrics.counter("carillon_orders_forgotten_total", "orders forgotten because too many are known")),
      ids_forgotten_(
          metrics.counter("carillon_event_ids_forgotten_total", "event ids forgotten because too many are known")) {
  for (std::size_t i = 0; i < kEventKinds; ++i) {
    const telemetry::Labels labels{{"event", std::string(to_string(static_cast<EventKind>(i)))}};
    events_.at(i) = {
        .published = &metrics.counter("carillon_published_total", "events published to the shards", labels),
        .late = &metrics.counter("carillon_published_late_total",
                                 "events published later than their limit after their timestamp", labels),
        .accept_time = &metrics.histogram("carillon_event_accept_seconds",
                                          "from an event's timestamp until the log had it", labels),
        .accept_beyond_limit = &metrics.counter("carillon_event_accept_beyond_limit_total",
                                                "events that the log had later than their limit", labels)};
  }
}

bool NotificationService::accept(std::vector<eventlog::StoredRecord>& batch) {
  const std::uint64_t bytes = bytes_of(batch);
  if (!pending_.try_take(bytes)) {
    refused_ = true;
    // Room that came free in between was not announced, because nobody was known to wait.
    if (!pending_.try_take(bytes)) return false;
  }
  loop_.post([this, bytes, is_history = !log_.has_caught_up(), taken = std::move(batch)] {
    process(taken, is_history);
    pending_.give_back(bytes);
    if (refused_.exchange(false)) log_.sink_has_room();
  });
  batch.clear();
  return true;
}

void NotificationService::process(const std::vector<eventlog::StoredRecord>& batch, bool is_history) {
  if (batch.empty()) return;
  const Moment moment{.wall = clock_.wall_now(), .mono = clock_.mono_now(), .is_history = is_history};
  std::vector<PublicationPtr> kept, published;
  eventlog::Settled settled{.up_to = batch.back().ordinal, .steps = {}};
  published.reserve(batch.size());
  for (const auto& record : batch) {
    Outcome outcome = processor_.process(record, moment);
    if (outcome.fate == Outcome::Fate::withheld && !is_history) note_withheld(record, outcome.reason);
    if (outcome.fault) bury(record, *outcome.fault, moment);
    if (outcome.step) settled.steps.push_back(*outcome.step);
    if (!outcome.publication) continue;
    if (outcome.fate == Outcome::Fate::published) count(outcome, record, is_history);
    (record.is_kept ? kept : published).push_back(std::move(outcome.publication));
  }
  orders_forgotten_.add(processor_.orders().forgotten() - orders_forgotten_.value());
  ids_forgotten_.add(processor_.duplicates().forgotten() - ids_forgotten_.value());
  fan_out_.remember(std::move(kept));
  fan_out_.publish(std::move(published));
  log_.settle(std::move(settled));
}

// History was counted as late, and its way into the log measured, when it was news.
void NotificationService::count(const Outcome& outcome, const eventlog::StoredRecord& record, bool is_history) {
  const Publication& publication = *outcome.publication;
  const EventCells& cells = events_.at(static_cast<std::size_t>(publication.kind));
  cells.published->add();
  if (is_history) return;
  if (outcome.is_late) cells.late->add();
  // A producer's clock may be ahead of the log's.
  const milliseconds taken = std::max(milliseconds{0}, record.logged_at - publication.event_time);
  cells.accept_time->observe(std::chrono::duration<double>(taken).count());
  if (taken > protocol::lateness_limit(publication.kind)) cells.accept_beyond_limit->add();
}

void NotificationService::note_withheld(const eventlog::StoredRecord& record, std::string_view reason) {
  withheld_.count(reason);
  telemetry::log(telemetry::Level::debug, "event withheld", {{"position", record.position.text}, {"reason", reason}});
}

void NotificationService::bury(const eventlog::StoredRecord& record, const protocol::EnvelopeFault& fault,
                               const Moment& moment) {
  if (!log_.origin().buried_up_to.covers(record.lane,
                                         record.offset)) {  // else it was said and counted when it was news
    buried_.count(fault.code);
    telemetry::log(telemetry::Level::warning, "record dead-lettered",
                   {{"position", record.position.text}, {"reason", fault.code}, {"pointer", fault.pointer}});
  }
  log_.put_dead_letter({.position = record.position,
                        .at = moment.wall,
                        .reason = fault.code,
                        .detail = fault.pointer.empty() ? fault.message : fault.pointer + ": " + fault.message,
                        .bytes = record.bytes,
                        .lane = record.lane,
                        .offset = record.offset});
}

void NotificationService::ReasonCells::count(std::string_view reason) {
  auto cell = cells_.find(reason);
  if (cell == cells_.end())
    cell = cells_.emplace(reason, &metrics_.counter(name_, help_, {{"reason", std::string(reason)}})).first;
  cell->second->add();
}

}  // namespace carillon::notification
