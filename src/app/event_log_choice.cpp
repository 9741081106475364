#include "app/event_log_choice.hpp"

#include <array>
#include <string_view>
#include <utility>

#include "app/small_file.hpp"
#include "eventlog/broker_log.hpp"
#include "eventlog/jetstream_broker.hpp"
#include "eventlog/kafka_broker.hpp"
#include "eventlog/rabbitmq_broker.hpp"
#include "eventlog/redis_broker.hpp"
#include "eventlog/sqlite_journal.hpp"

namespace carillon::app {

namespace {

using config::LogKind;
using eventlog::Broker;

Result<std::string> read_password(const std::filesystem::path& file) {
  if (file.empty()) return {};
  auto text = read_small_file(file);
  if (text && text->ends_with('\n')) text->pop_back();
  return text;
}

Result<eventlog::BrokerAccess> access_to(std::string url, const config::Config::Log& log) {
  auto password = read_password(log.password_file);
  if (!password) return std::unexpected(password.error());
  return eventlog::BrokerAccess{.url = std::move(url),
                                .username = log.kind == LogKind::kafka ? log.kafka.username : "",
                                .password = std::move(*password),
                                .ca_file = log.tls.ca_file.string(),
                                .certificate = log.tls.certificate.string(),
                                .private_key = log.tls.private_key.string(),
                                .may_create = log.create,
                                .retention = log.retention};
}

std::string url_of(const config::Config::Log& log) {
  switch (log.kind) {
    case LogKind::redis:
      return log.redis.url;
    case LogKind::kafka:
      return log.kafka.brokers;
    case LogKind::rabbitmq:
      return log.rabbitmq.url;
    case LogKind::jetstream:
      return log.jetstream.url;
    case LogKind::journal:
      break;
  }
  return log.journal.path.string();
}

Result<std::unique_ptr<Broker>> make_broker(const config::Config::Log& log) {
  constexpr std::array kMechanisms = {"", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"};
  auto access = access_to(url_of(log), log);
  if (!access) return std::unexpected(access.error());
  switch (log.kind) {
    case LogKind::redis:
      return eventlog::make_redis_broker({.access = std::move(*access), .stream = log.redis.stream});
    case LogKind::kafka:
      return eventlog::make_kafka_broker(
          {.access = std::move(*access),
           .topic = log.kafka.topic,
           .uses_tls = log.kafka.tls,
           .sasl_mechanism = kMechanisms.at(static_cast<std::size_t>(log.kafka.sasl_mechanism))});
    case LogKind::rabbitmq:
      return eventlog::make_rabbitmq_broker({.access = std::move(*access), .queue = log.rabbitmq.queue});
    case LogKind::jetstream:
      return eventlog::make_jetstream_broker({.access = std::move(*access),
                                              .stream = log.jetstream.stream,
                                              .subject = log.jetstream.subject,
                                              .credentials_file = log.jetstream.credentials_file.string()});
    case LogKind::journal:
      break;
  }
  return fail(ErrorKind::internal, "the journal is no broker");
}

}  // namespace

Result<std::unique_ptr<eventlog::EventLog>> make_event_log(const config::Config& config, LogTrouble trouble,
                                                           const Clock& clock, telemetry::Registry& metrics) {
  if (config.log.kind == LogKind::journal) {
    eventlog::SqliteJournal::Options journal;
    journal.path = config.log.journal.path.string();
    journal.limits.retention_age = config.log.journal.retention_age;
    journal.limits.retention_bytes = config.log.journal.retention_bytes;
    journal.on_fatal = std::move(trouble.on_fatal);
    return std::make_unique<eventlog::SqliteJournal>(std::move(journal), clock, metrics);
  }
  auto broker = make_broker(config.log);
  if (!broker) return std::unexpected(broker.error());
  eventlog::BrokerLog::Options options;
  options.history = config.log.history;
  options.on_gap = std::move(trouble.on_gap);
  return std::make_unique<eventlog::BrokerLog>(std::move(*broker), std::move(options), clock, metrics);
}

std::string event_log_name(const config::Config& config) {
  return url_of(config.log);
}

}  // namespace carillon::app
