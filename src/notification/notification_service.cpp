#include "notification/notification_service.hpp"

#include <utility>

#include "protocol/server_message.hpp"
#include "protocol/text_frame.hpp"
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
                                         const Clock& clock, telemetry::Registry& metrics)
    : loop_(loop), log_(log), fan_out_(fan_out), clock_(clock), metrics_(metrics) {
  for (std::size_t i = 0; i < kEventKinds; ++i) {
    const telemetry::Labels labels{{"event", std::string(to_string(static_cast<EventKind>(i)))}};
    published_.at(i) = &metrics.counter("carillon_published_total", "events published to the shards", labels);
    late_.at(i) = &metrics.counter("carillon_published_late_total",
                                   "events published later than their limit after their timestamp", labels);
  }
}

bool NotificationService::accept(std::vector<eventlog::StoredRecord>& batch) {
  const std::uint64_t bytes = bytes_of(batch);
  if (!pending_.try_take(bytes)) {
    refused_ = true;
    // Room that came free in between was not announced, because nobody was known to wait.
    if (!pending_.try_take(bytes)) return false;
  }
  loop_.post([this, bytes, taken = std::move(batch)] {
    publish(taken);
    pending_.give_back(bytes);
    if (refused_.exchange(false)) log_.sink_has_room();
  });
  batch.clear();
  return true;
}

void NotificationService::publish(const std::vector<eventlog::StoredRecord>& batch) {
  std::vector<PublicationPtr> publications;
  publications.reserve(batch.size());
  for (const auto& record : batch) {
    auto event = protocol::parse_envelope(record.bytes, record.logged_at);
    if (event)
      publications.push_back(make_publication(std::move(*event), record));
    else
      bury(record, event.error());
  }
  fan_out_.publish(std::move(publications));
}

PublicationPtr NotificationService::make_publication(Event event, const eventlog::StoredRecord& record) {
  auto publication = std::make_shared<Publication>();
  publication->sequence = next_sequence_++;
  publication->position = record.position;
  publication->kind = event.kind;
  publication->event_time = event.timestamp.value_or(record.logged_at);
  publication->published_at = clock_.mono_now();
  const bool late = clock_.wall_now() - publication->event_time > protocol::lateness_limit(event.kind);
  protocol::append_text_frame(publication->frame,
                              protocol::encode_notification(event, record.logged_at, record.position, late));
  publication->owner = std::move(event.user_id);
  publication->audience = std::move(event.audience);
  const auto kind = static_cast<std::size_t>(event.kind);
  published_.at(kind)->add();
  if (late) late_.at(kind)->add();
  return publication;
}

void NotificationService::bury(const eventlog::StoredRecord& record, const protocol::EnvelopeFault& fault) {
  telemetry::Counter*& cell = buried_[fault.code];
  if (cell == nullptr)
    cell = &metrics_.counter("carillon_dead_letters_total", "records of the log that are no valid event, by reason",
                             {{"reason", fault.code}});
  cell->add();
  telemetry::log(telemetry::Level::warning, "record dead-lettered",
                 {{"position", record.position.text}, {"reason", fault.code}, {"pointer", fault.pointer}});
  log_.put_dead_letter({.position = record.position,
                        .at = clock_.wall_now(),
                        .reason = fault.code,
                        .detail = fault.pointer + ": " + fault.message,
                        .bytes = record.bytes});
}

}  // namespace carillon::notification
