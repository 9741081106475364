#include "eventlog/kafka_writer.hpp"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <deque>
#include <utility>

#include "base/number.hpp"
#include "eventlog/kafka_reader.hpp"

namespace carillon::eventlog {
namespace {

constexpr std::int64_t kNotesMax = 20'000;
constexpr std::size_t kNoteBytesMax = std::size_t{64} << 20;
constexpr std::size_t kRecordBytesMax = std::size_t{1} << 20;
// A batch of one record: its frame, and the lengths and names inside, with room to spare.
constexpr std::size_t kFrameBytes = 128;

const KafkaClient::Settings& note_settings() {
  static const KafkaClient::Settings settings{
      {"cleanup.policy", "delete"},
      {"retention.ms", "-1"},
      {"retention.bytes", std::to_string(2 * kNoteBytesMax)},
      {"segment.bytes", std::to_string(kNoteBytesMax / 4)},
      {"max.message.bytes", std::to_string((2 << 20) + (64 << 10))},
  };
  return settings;
}

std::string value_of(const KafkaClient::Settings& settings, const std::string& key) {
  const auto found = settings.find(key);
  return found == settings.end() ? std::string() : found->second;
}

std::size_t framed_size(const Record& record) {
  return kFrameBytes + record.bytes.size() + record.key.size() + record.id.size();
}

// The opaque of the delivery report is our index. librdkafka copies the bytes, because a call that fails returns while
// records of it are still on their way.
int produce(rd_kafka_t* handle, rd_kafka_topic_t* topic, const Record& record, std::size_t index) {
  std::array<rd_kafka_vu_t, 6> fields{};
  fields[0].vtype = RD_KAFKA_VTYPE_RKT;
  fields[0].u.rkt = topic;
  fields[1].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
  fields[1].u.i = RD_KAFKA_MSG_F_COPY;
  fields[2].vtype = RD_KAFKA_VTYPE_VALUE;
  fields[2].u.mem = {.ptr = const_cast<char*>(record.bytes.data()), .size = record.bytes.size()};
  fields[3].vtype = RD_KAFKA_VTYPE_OPAQUE;
  fields[3].u.ptr = reinterpret_cast<void*>(index);  // NOLINT(performance-no-int-to-ptr): it only comes back
  std::size_t count = 4;
  if (!record.key.empty()) {
    fields[count].vtype = RD_KAFKA_VTYPE_KEY;
    fields[count++].u.mem = {.ptr = const_cast<char*>(record.key.data()), .size = record.key.size()};
  }
  if (!record.id.empty()) {
    fields[count].vtype = RD_KAFKA_VTYPE_HEADER;
    fields[count++].u.header = {.name = "id", .val = record.id.data(), .size = static_cast<ssize_t>(record.id.size())};
  }
  rd_kafka_error_t* const error = rd_kafka_produceva(handle, fields.data(), count);
  if (error == nullptr) return RD_KAFKA_RESP_ERR_NO_ERROR;
  const int code = rd_kafka_error_code(error);
  rd_kafka_error_destroy(error);
  return code;
}

}  // namespace

Result<> KafkaWriter::connect() {
  client_.reset();
  auto client = KafkaClient::make(options_, KafkaClient::Role::writer);
  if (!client) return std::unexpected(client.error());
  const auto topic = (*client)->open(options_.topic, -1, kafka_log_settings(options_.access.retention));
  if (!topic) return std::unexpected(topic.error());
  if (const auto notes = (*client)->open(notes_, 1, note_settings()); !notes) return std::unexpected(notes.error());
  topic_ = *topic;
  settings_.reset();
  batch_bytes_max_ = SIZE_MAX;
  if (auto settings = (*client)->settings(options_.topic)) {
    batch_bytes_max_ = parse_number<std::uint64_t>(value_of(*settings, "max.message.bytes")).value_or(SIZE_MAX);
    settings_ = std::move(*settings);
  } else if (settings.error().kind == ErrorKind::unavailable) {
    return std::unexpected(settings.error());
  } else {
    settings_trouble_ = settings.error().message;
  }
  client_ = std::move(*client);
  return {};
}

std::vector<std::string> KafkaWriter::warnings() {
  if (!settings_) {
    return {fmt::format("how durable topic {} is cannot be told: {}", options_.topic, settings_trouble_)};
  }
  std::vector<std::string> warnings;
  const auto warn = [&](std::string_view what) {
    warnings.push_back(fmt::format("topic {}: {}", options_.topic, what));
  };
  const bool is_one_enough = value_of(*settings_, "min.insync.replicas") == "1";
  if (topic_.replicas_min <= 1) {
    warn("has one replica: what is acknowledged is lost with the disk of its broker; use 3 and min.insync.replicas=2");
  } else if (is_one_enough) {
    warn("min.insync.replicas=1: what is acknowledged may be on one broker alone, and is lost with it; use 2");
  }
  if ((topic_.replicas_min <= 1 || is_one_enough) && value_of(*settings_, "flush.messages") != "1") {
    warn("flush.messages is not 1: what is acknowledged is in memory, and the last seconds are lost when power fails");
  }
  if (value_of(*settings_, "unclean.leader.election.enable") == "true") {
    warn("unclean.leader.election.enable=true: a broker that missed records may lead, and they are lost; use false");
  }
  if (value_of(*settings_, "cleanup.policy").find("compact") != std::string::npos) {
    warn("cleanup.policy holds compact: of each user's events only the last would be kept; use delete");
  }
  if (batch_bytes_max_ < kRecordBytesMax + 1024) {
    warn(fmt::format("max.message.bytes={}: events near 1 MiB are refused; use {}", batch_bytes_max_,
                     value_of(kafka_log_settings(options_.access.retention), "max.message.bytes")));
  }
  return warnings;
}

Result<std::vector<BrokerWriter::Stood>> KafkaWriter::append(std::span<const Record> records) {
  if (!client_) return fail(ErrorKind::unavailable, "not connected to Kafka");
  // Before any is sent: what is refused by the broker among others may leave those there.
  if (auto fit = check_sizes(records); !fit) return std::unexpected(fit.error());
  Delivery delivery{.stood = std::vector<Stood>(records.size()), .waiting = 0, .error = {}};
  client_->on_delivery([this, &delivery](const rd_kafka_message_t& message) { take(message, delivery); });
  for (std::size_t i = 0; i < records.size() && !delivery.error; ++i) {
    if (const auto sent = send(options_.topic, records[i], i, delivery); !sent) delivery.error = sent.error();
  }
  if (const auto finished = finish(delivery); !finished) return std::unexpected(finished.error());
  return std::move(delivery.stood);
}

Result<> KafkaWriter::check_sizes(std::span<const Record> records) const {
  for (const Record& record : records) {
    if (framed_size(record) > batch_bytes_max_) return std::unexpected(too_large(record.bytes.size()));
  }
  return {};
}

Error KafkaWriter::too_large(std::size_t bytes) const {
  return {ErrorKind::invalid,
          fmt::format("a record of {} bytes is larger than topic {} of Kafka at {} takes (max.message.bytes{})", bytes,
                      options_.topic, options_.access.url,
                      batch_bytes_max_ == SIZE_MAX ? std::string() : fmt::format("={}", batch_bytes_max_))};
}

Result<> KafkaWriter::send(const std::string& topic, const Record& record, std::size_t index, Delivery& delivery) {
  rd_kafka_topic_t* const to = client_->topic(topic);
  const MonoTime deadline = std::chrono::steady_clock::now() + options_.access.timeout;
  while (true) {
    const int code = produce(client_->handle(), to, record, index);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
      ++delivery.waiting;
      return {};
    }
    if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) return std::unexpected(too_large(record.bytes.size()));
    if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL || std::chrono::steady_clock::now() > deadline) {
      return std::unexpected(client_->error(code, "appending to topic " + topic));
    }
    client_->serve(milliseconds{10});
  }
}

// Waits until all are acknowledged. message.timeout.ms ends it, a little late: librdkafka looks once a second.
Result<> KafkaWriter::finish(Delivery& delivery) {
  const MonoTime deadline = std::chrono::steady_clock::now() + options_.access.timeout + std::chrono::seconds{2};
  while (delivery.waiting > 0 && !delivery.error) {
    client_->serve(milliseconds{100});
    if (client_->refusal()) delivery.error = *client_->refusal();
    if (delivery.waiting > 0 && std::chrono::steady_clock::now() > deadline) {
      delivery.error = client_->error(RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, "appending");
    }
  }
  client_->on_delivery(nullptr);
  if (!delivery.error) return {};
  // Reports of what is still on its way must not reach a later call.
  client_.reset();
  return std::unexpected(std::move(*delivery.error));
}

void KafkaWriter::take(const rd_kafka_message_t& message, Delivery& delivery) const {
  --delivery.waiting;
  if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    Stood& stood = delivery.stood.at(reinterpret_cast<std::size_t>(message._private));
    stood.lane = static_cast<std::uint32_t>(message.partition);
    if (message.offset >= 0) stood.offset = Offset{.high = static_cast<std::uint64_t>(message.offset) + 1, .low = 0};
  } else if (!delivery.error) {
    delivery.error = message.err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ? too_large(message.len)
                                                                         : client_->error(message.err, "appending");
  }
}

Result<> KafkaWriter::append_note(std::string_view note) {
  if (!client_) return fail(ErrorKind::unavailable, "not connected to Kafka");
  Delivery delivery{.stood = std::vector<Stood>(1), .waiting = 0, .error = {}};
  client_->on_delivery([this, &delivery](const rd_kafka_message_t& message) { take(message, delivery); });
  if (const auto sent = send(notes_, Record{.id = {}, .bytes = std::string(note), .key = {}}, 0, delivery); !sent) {
    delivery.error = sent.error();
  }
  return finish(delivery);
}

// By a consumer of its own, for this once: notes are read at the start, and when a person asks for dead letters.
Result<std::vector<std::string>> KafkaWriter::read_notes() {
  if (!client_) return fail(ErrorKind::unavailable, "not connected to Kafka");
  KafkaOptions options = options_;
  options.topic = notes_;
  KafkaReader reader(options);
  const auto extent = reader.connect();
  if (!extent) return std::unexpected(extent.error());
  const std::uint64_t last = extent->last.at(0).high;
  const std::uint64_t first = extent->before_first.at(0).high;
  const std::uint64_t from = std::max(first, last - std::min<std::uint64_t>(last, kNotesMax));
  if (const auto sought = reader.seek(Place(Offset{.high = from, .low = 0})); !sought) {
    return std::unexpected(sought.error());
  }
  std::deque<std::string> notes;
  std::size_t bytes = 0;
  for (std::uint64_t passed = from; passed < last;) {
    auto batch = reader.read(options_.access.timeout);
    if (!batch) return std::unexpected(batch.error());
    if (batch->records.empty()) return fail(ErrorKind::unavailable, "the notes of topic " + notes_ + " do not come");
    for (BrokerRecord& record : batch->records) {
      passed = record.offset.high;
      bytes += record.bytes.size();
      notes.push_back(std::move(record.bytes));
    }
    while (bytes > kNoteBytesMax) {
      bytes -= notes.front().size();
      notes.pop_front();
    }
  }
  return std::vector<std::string>(std::make_move_iterator(notes.begin()), std::make_move_iterator(notes.end()));
}

Result<Place> KafkaWriter::end() {
  if (!client_) return fail(ErrorKind::unavailable, "not connected to Kafka");
  const auto topic = client_->describe(options_.topic);  // it may have grown
  if (!topic) return std::unexpected(topic.error());
  if (!*topic) return fail(ErrorKind::unavailable, "Kafka has lost topic " + options_.topic);
  const auto next = client_->offsets(options_.topic, std::vector((*topic)->lanes, KafkaClient::kNext));
  if (!next) return std::unexpected(next.error());
  std::vector<Offset> lanes;
  for (const std::int64_t offset : *next) lanes.push_back({.high = static_cast<std::uint64_t>(offset), .low = 0});
  return Place(std::move(lanes));
}

}  // namespace carillon::eventlog
