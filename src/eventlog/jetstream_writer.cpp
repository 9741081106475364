#include "eventlog/jetstream_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/number.hpp"
#include "eventlog/jetstream_feed.hpp"
#include "eventlog/jetstream_streams.hpp"

namespace carillon::eventlog::jetstream {
namespace {

// What append() has under way at once: newer servers refuse beyond 10,000 records.
constexpr std::size_t kRecordsMax = 4096;
constexpr std::size_t kBytesMax = std::size_t{4} << 20;

}  // namespace

Result<> Writer::connect() {
  link_.reset();
  auto link = Link::open(target_);
  if (!link) return std::unexpected(link.error());
  auto log = prepare_streams(target_, **link);
  if (!log) return std::unexpected(log.error());
  inbox_ = new_inbox();
  const auto acknowledgements = (*link)->subscribe(inbox_ + ".*");
  if (!acknowledgements) return std::unexpected(acknowledgements.error());
  acknowledgements_ = *acknowledgements;
  link_ = std::move(*link);
  look_for_weakness(log->root());
  return {};
}

void Writer::look_for_weakness(const json::Value& info) {
  warnings_.clear();
  const std::string& stream = target_.options.stream;
  const auto config = info.find("config");
  if (!config) return;
  if (config->find_string("storage") == "memory") {
    warnings_.push_back(fmt::format("the stream {} is in memory: a restart of its server empties it", stream));
  }
  if (config->find_count("num_replicas").value_or(0) <= 1) {
    // Answers carry the server's time from 2.10 on, which is also the first that can be told to sync.
    warnings_.push_back(
        info.find("ts")
            ? fmt::format(
                  "the stream {} has one replica, and its server syncs every two minutes unless its configuration "
                  "says \"jetstream {{ sync_interval: always }}\": a crash of that machine can lose what was "
                  "acknowledged",
                  stream)
            : fmt::format(
                  "the stream {} has one replica, and its server, older than 2.10, syncs every two minutes: a crash "
                  "of that machine can lose what was acknowledged",
                  stream));
  }
  if (const std::size_t most = link_->payload_max(); most < (std::size_t{2} << 20)) {
    warnings_.push_back(
        fmt::format("{} takes messages of at most {} bytes: events near 1 MiB and their dead letters do "
                    "not fit (max_payload: 2MB)",
                    target_.where, most));
  }
  const auto subjects = config->find("subjects");
  if (subjects && !(subjects->size() == 1 && (*subjects->begin()).text() == target_.options.subject)) {
    warnings_.push_back(
        fmt::format("the stream {} takes more than the subject {}: other records in it become dead letters", stream,
                    target_.options.subject));
  }
}

Result<> Writer::publish(const std::string& subject, std::size_t token, const std::string& id,
                         std::string_view bytes) const {
  natsMsg* raw = nullptr;
  natsStatus status = natsMsg_Create(&raw, subject.c_str(), fmt::format("{}.{}", inbox_, token).c_str(), bytes.data(),
                                     static_cast<int>(bytes.size()));
  const MessagePtr message(raw);
  // Header values lose the spaces around them: two ids would become one, and an event a repeat.
  const bool fits_header = !id.empty() && id.front() != ' ' && id.back() != ' ';
  if (status == NATS_OK && fits_header) status = natsMsgHeader_Set(raw, kIdHeader, id.c_str());
  if (status == NATS_OK) status = natsConnection_PublishMsg(link_->get(), raw);
  if (status == NATS_OK) return {};
  if (status != NATS_MAX_PAYLOAD) return link_->failed(status, "publishing");
  return target_.error(ErrorKind::invalid, fmt::format("a record of {} bytes is more than it takes (max_payload {})",
                                                       bytes.size(), link_->payload_max()));
}

Result<> Writer::await(std::span<Stood> stood, const std::string& stream) const {
  // The first part of the wait is the flush's: without it libnats would hold the records back for a millisecond.
  const MonoTime end = SystemClock().mono_now() + target_.timeout();
  if (const natsStatus status = natsConnection_FlushTimeout(link_->get(), target_.timeout().count());
      status != NATS_OK) {
    return link_->failed(status, "appending");
  }
  for (std::size_t missing = stood.size(); missing > 0; --missing) {
    const auto left =
        std::chrono::ceil<milliseconds>(std::max(end - SystemClock().mono_now(), MonoTime::duration::zero()));
    natsMsg* raw = nullptr;
    const natsStatus status = natsSubscription_NextMsg(&raw, acknowledgements_, left.count());
    const MessagePtr message(raw);
    if (status == NATS_NO_RESPONDERS) return target_.error(ErrorKind::not_found, "no stream takes what we append");
    if (status != NATS_OK) return link_->failed(status, "waiting for an acknowledgement");
    if (auto read = read_acknowledgement(raw, stood, stream); !read) return read;
  }
  return {};
}

Result<> Writer::read_acknowledgement(natsMsg* message, std::span<Stood> stood, const std::string& stream) const {
  auto answer = json::Document::parse(data_of(message));
  if (!answer) return target_.error(ErrorKind::unavailable, "an acknowledgement is not JSON");
  const json::Value root = answer->root();
  if (auto error = link_->refusal_in(root)) return std::unexpected(std::move(*error));
  const std::uint64_t sequence = root.find_count("seq").value_or(0);
  const std::string_view subject = text_or_empty(natsMsg_GetSubject(message));
  const auto token = parse_number<std::size_t>(subject.substr(std::min(inbox_.size() + 1, subject.size())));
  if (sequence == 0 || !token || *token >= stood.size() || root.find_string("stream") != stream) {
    return target_.error(ErrorKind::unavailable, "an acknowledgement is not of what was appended");
  }
  stood[*token] = {.lane = 0, .offset = Offset{sequence}, .is_repeat = root.has_true("duplicate")};
  return {};
}

Result<std::vector<BrokerWriter::Stood>> Writer::append(std::span<const Record> records) {
  if (!link_) return target_.not_connected();
  for (const Record& record : records) {
    if (const std::size_t most = link_->payload_max(); record.bytes.size() + record.id.size() > most) {
      return target_.error(
          ErrorKind::invalid,
          fmt::format("a record of {} bytes is more than it takes (max_payload {})", record.bytes.size(), most));
    }
  }
  std::vector<Stood> stood(records.size());
  for (std::size_t begin = 0; begin < records.size();) {
    std::size_t end = begin;
    for (std::size_t bytes = 0; end < records.size() && end - begin < kRecordsMax && bytes < kBytesMax; ++end) {
      const Record& record = records[end];
      if (auto sent = publish(target_.options.subject, end - begin, record.id, record.bytes); !sent) {
        return std::unexpected(sent.error());
      }
      bytes += record.bytes.size();
    }
    if (auto done = await(std::span(stood).subspan(begin, end - begin), target_.options.stream); !done) {
      return std::unexpected(done.error());
    }
    begin = end;
  }
  return stood;
}

Result<> Writer::append_note(std::string_view note) {
  if (!link_) return target_.not_connected();
  if (auto sent = publish(target_.notes_subject(), 0, {}, note); !sent) return sent;
  Stood stood;
  return await(std::span(&stood, 1), target_.notes_stream());
}

Result<std::vector<std::string>> Writer::read_notes() {
  if (!link_) return target_.not_connected();
  const auto link = Link::open(target_);
  if (!link) return std::unexpected(link.error());
  auto feed = Feed::open(target_, **link, target_.notes_stream(), 0);
  if (!feed) return std::unexpected(feed.error());
  std::vector<std::string> notes;
  for (std::uint64_t pending = (*feed)->pending_at_first(); pending > 0;) {
    auto delivery = (*feed)->next(target_.timeout());
    if (!delivery) return std::unexpected(delivery.error());
    if (!*delivery) continue;
    notes.emplace_back(data_of((*delivery)->message.get()));
    pending = (*delivery)->stamp.pending;
  }
  return notes;
}

Result<Place> Writer::end() {
  if (!link_) return target_.not_connected();
  auto info = link_->ask("STREAM.INFO." + target_.options.stream);
  if (!info) return std::unexpected(info.error());
  return Place(Offset{stream_in(info->root()).last});
}

}  // namespace carillon::eventlog::jetstream
