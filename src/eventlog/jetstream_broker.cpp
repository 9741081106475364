#include "eventlog/jetstream_broker.hpp"

#include <fmt/format.h>
#include <nats/nats.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iterator>
#include <utility>

#include "base/json.hpp"
#include "base/number.hpp"
#include "eventlog/jetstream_text.hpp"
#include "protocol/timestamp.hpp"

namespace carillon::eventlog {
namespace {

using std::chrono::nanoseconds;

// A batch of read(), and what append() has under way at once: newer servers refuse beyond 10,000.
constexpr std::size_t kRecordsMax = 4096;
constexpr std::size_t kBytesMax = std::size_t{4} << 20;
// What waits for us in memory at most. The server's flow control stops at 32 MiB; beyond this libnats would drop.
constexpr int kPendingRecordsMax = 1 << 20;
constexpr int kPendingBytesMax = 128 << 20;
// Records deleted from the middle of a stream, of which we ask for the list.
constexpr std::uint64_t kDeletedMax = 500'000;

constexpr const char* kIdHeader = "Nats-Msg-Id";

struct Destroy {
  void operator()(natsOptions* it) const { natsOptions_Destroy(it); }
  void operator()(natsConnection* it) const { natsConnection_Destroy(it); }
  void operator()(natsSubscription* it) const { natsSubscription_Destroy(it); }
  void operator()(natsMsg* it) const { natsMsg_Destroy(it); }
  void operator()(natsInbox* it) const { natsInbox_Destroy(it); }
};
using OptionsPtr = std::unique_ptr<natsOptions, Destroy>;
using ConnectionPtr = std::unique_ptr<natsConnection, Destroy>;
using SubscriptionPtr = std::unique_ptr<natsSubscription, Destroy>;
using MessagePtr = std::unique_ptr<natsMsg, Destroy>;

std::string new_inbox() {
  natsInbox* inbox = nullptr;
  if (natsInbox_Create(&inbox) != NATS_OK) return {};
  const std::unique_ptr<natsInbox, Destroy> owner(inbox);
  return inbox;
}

std::string_view data_of(const natsMsg* message) {
  return {natsMsg_GetData(message), static_cast<std::size_t>(natsMsg_GetDataLength(message))};
}

std::string_view text_or_empty(const char* text) {
  return text == nullptr ? std::string_view() : std::string_view(text);
}

std::string_view header_of(natsMsg* message, const char* name) {
  const char* value = nullptr;
  return natsMsgHeader_Get(message, name, &value) == NATS_OK ? text_or_empty(value) : std::string_view();
}

// 0 where it is none.
std::uint64_t number_of(std::string_view text) {
  return parse_number<std::uint64_t>(text).value_or(0);
}

std::uint64_t number_in(const json::Value& object, std::string_view key) {
  return object.find_count(key).value_or(0);
}

std::string in_json(std::string_view text) {
  std::string out;
  json::append_string(out, text);
  return out;
}

// What libnats knew last on this thread.
std::string_view last_error() {
  natsStatus ignored = NATS_OK;
  return text_or_empty(nats_GetLastError(&ignored));
}

// One broker as its readers and writers know it.
struct Target {
  JetstreamOptions options;
  NatsServers servers;
  std::string where;  // "NATS at HOST:PORT"

  [[nodiscard]] milliseconds timeout() const { return options.access.timeout; }
  [[nodiscard]] std::string notes_stream() const { return options.stream + "_NOTES"; }
  [[nodiscard]] std::string notes_subject() const { return options.subject + ".notes"; }
  [[nodiscard]] std::unexpected<Error> error(ErrorKind kind, std::string_view what) const {
    return fail(kind, fmt::format("{}: {}", where, what));
  }
};

// One connection and its subscriptions. When it is lost it stays lost: libnats must not connect again behind our back,
// for what it had promised before would not hold.
class Link {
 public:
  static Result<std::unique_ptr<Link>> open(const Target& target);

  [[nodiscard]] natsConnection* get() const { return connection_.get(); }
  [[nodiscard]] std::size_t payload_max() const {
    return static_cast<std::size_t>(std::max<std::int64_t>(natsConnection_GetMaxPayload(get()), 0));
  }
  // A request to JetStream, "STREAM.INFO.NAME", and its answer, which is no error.
  [[nodiscard]] Result<json::Document> ask(const std::string& request, std::string_view body = {}) const;
  // Lives as long as the link does: libnats before 3.6 reads from the connection into a subscription that somebody
  // destroys meanwhile. Who is done with one is done with the link.
  [[nodiscard]] Result<natsSubscription*> subscribe(const std::string& subject);
  // The error that an answer of JetStream holds, or nothing.
  [[nodiscard]] std::optional<Error> refusal_in(const json::Value& answer) const;
  // A call of libnats that failed.
  [[nodiscard]] std::unexpected<Error> failed(natsStatus status, std::string_view doing) const;

 private:
  Link(const Target& target, ConnectionPtr connection) : target_(target), connection_(std::move(connection)) {}
  static std::unexpected<Error> cannot_connect(const Target& target, natsStatus status);

  const Target& target_;
  std::vector<SubscriptionPtr> subscriptions_;  // which leave after the connection
  ConnectionPtr connection_;
};

bool has_credentials(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  return text.contains("NATS USER JWT") && text.contains("USER NKEY SEED");
}

Result<OptionsPtr> connection_options(const Target& target) {
  const BrokerAccess& access = target.options.access;
  natsOptions* raw = nullptr;
  if (natsOptions_Create(&raw) != NATS_OK) return target.error(ErrorKind::internal, "no memory for a connection");
  OptionsPtr options(raw);
  std::vector<const char*> urls;
  urls.reserve(target.servers.urls.size());
  for (const std::string& url : target.servers.urls) urls.push_back(url.c_str());
  natsOptions_SetServers(raw, urls.data(), static_cast<int>(urls.size()));
  natsOptions_SetIgnoreDiscoveredServers(raw, true);
  natsOptions_SetAllowReconnect(raw, false);
  natsOptions_SetTimeout(raw, target.timeout().count());
  natsOptions_SetWriteDeadline(raw, target.timeout().count());
  natsOptions_SetPingInterval(raw, target.timeout().count());
  natsOptions_SetMaxPingsOut(raw, 2);
  natsOptions_SetFailRequestsOnDisconnect(raw, true);
  natsOptions_IPResolutionOrder(raw, 46);
  natsOptions_SetName(raw, "carillon");
  const std::string& username = access.username.empty() ? target.servers.username : access.username;
  if (!username.empty()) natsOptions_SetUserInfo(raw, username.c_str(), access.password.c_str());
  if (target.servers.with_tls) natsOptions_SetSecure(raw, true);
  const auto cannot_read = [&](const std::string& file) {
    return target.error(ErrorKind::invalid, fmt::format("cannot use {}: {}", file, last_error()));
  };
  if (!access.ca_file.empty() && natsOptions_LoadCATrustedCertificates(raw, access.ca_file.c_str()) != NATS_OK) {
    return cannot_read(access.ca_file);
  }
  if (!access.certificate.empty() &&
      natsOptions_LoadCertificatesChain(raw, access.certificate.c_str(), access.private_key.c_str()) != NATS_OK) {
    return cannot_read(access.certificate);
  }
  const std::string& credentials = target.options.credentials_file;
  // libnats reads it with each connection, where a file that is wrong looks like a server that is away.
  if (!credentials.empty() && !has_credentials(credentials)) {
    return target.error(ErrorKind::invalid, fmt::format("{} holds no user JWT and seed of NATS", credentials));
  }
  if (!credentials.empty() && natsOptions_SetUserCredentialsFromFiles(raw, credentials.c_str(), nullptr) != NATS_OK) {
    return cannot_read(credentials);
  }
  return options;
}

Result<std::unique_ptr<Link>> Link::open(const Target& target) {
  auto options = connection_options(target);
  if (!options) return std::unexpected(options.error());
  natsConnection* raw = nullptr;
  const natsStatus status = natsConnection_Connect(&raw, options->get());
  if (status != NATS_OK) return cannot_connect(target, status);
  return std::unique_ptr<Link>(new Link(target, ConnectionPtr(raw)));
}

std::unexpected<Error> Link::cannot_connect(const Target& target, natsStatus status) {
  const std::string_view why = last_error();
  if (status == NATS_CONNECTION_AUTH_FAILED || status == NATS_NOT_PERMITTED) {
    return target.error(ErrorKind::denied, "it refuses the user name, the password or the credentials");
  }
  if (status == NATS_SECURE_CONNECTION_WANTED) {
    return target.error(ErrorKind::invalid, "it speaks no TLS: the URL would begin with nats://");
  }
  // Without that word it is a server that went away during the handshake.
  if (status == NATS_SSL_ERROR && (why.contains("certificate") || why.contains("mismatch"))) {
    return target.error(ErrorKind::invalid, fmt::format("TLS failed, see the CA file and the host's name: {}", why));
  }
  return target.error(ErrorKind::unavailable,
                      fmt::format("cannot connect: {}", why.empty() ? natsStatus_GetText(status) : why));
}

std::unexpected<Error> Link::failed(natsStatus status, std::string_view doing) const {
  const char* said = nullptr;
  natsConnection_GetLastError(get(), &said);
  // The server answers a forbidden request with silence, and says why beside it.
  if (text_or_empty(said).contains("ermissions Violation")) {
    return target_.error(ErrorKind::denied, fmt::format("{}: {}", doing, said));
  }
  if (status == NATS_NO_RESPONDERS) {
    return target_.error(ErrorKind::invalid, "JetStream is not enabled there (nats-server -js)");
  }
  return target_.error(ErrorKind::unavailable, fmt::format("{}: {}", doing, natsStatus_GetText(status)));
}

std::optional<Error> Link::refusal_in(const json::Value& answer) const {
  const auto error = answer.find("error");
  if (!error) return std::nullopt;
  const std::uint64_t code = number_in(*error, "code");
  const std::string_view text = error->find_string("description").value_or("an error without a description");
  const auto kind = [&] {
    switch (number_in(*error, "err_code")) {
      case JSStreamNotFoundErr:
        return ErrorKind::not_found;
      case JSNotEnabledErr:
      case JSNotEnabledForAccountErr:
        return ErrorKind::invalid;
      case JSInsufficientResourcesErr:
      case JSMemoryResourcesExceededErr:
      case JSStorageResourcesExceededErr:
        return ErrorKind::full;
      // Of a stream that discards what is new: "maximum messages exceeded", "maximum bytes exceeded".
      case JSStreamStoreFailedErr:
        return text.contains("maximum") ? ErrorKind::full : ErrorKind::unavailable;
      // Another node made it at the same time.
      case JSStreamNameExistErr:
        return ErrorKind::unavailable;
      default:
        return code >= 500 ? ErrorKind::unavailable : ErrorKind::invalid;
    }
  }();
  return target_.error(kind, text).error();
}

Result<json::Document> Link::ask(const std::string& request, std::string_view body) const {
  natsMsg* raw = nullptr;
  const std::string subject = "$JS.API." + request;
  const natsStatus status = natsConnection_Request(&raw, get(), subject.c_str(), body.data(),
                                                   static_cast<int>(body.size()), target_.timeout().count());
  const MessagePtr message(raw);
  if (status != NATS_OK) return failed(status, request);
  constexpr json::Limits kLimits{.depth_max = 32, .members_max = 256, .values_max = kDeletedMax + 10'000};
  auto answer = json::Document::parse(data_of(raw), kLimits);
  if (!answer) return target_.error(ErrorKind::unavailable, fmt::format("{}: {}", request, answer.error().message));
  if (auto error = refusal_in(answer->root())) return std::unexpected(std::move(*error));
  return answer;
}

Result<natsSubscription*> Link::subscribe(const std::string& subject) {
  natsSubscription* raw = nullptr;
  natsStatus status = natsConnection_SubscribeSync(&raw, get(), subject.c_str());
  subscriptions_.emplace_back(raw);
  if (status == NATS_OK) status = natsSubscription_SetPendingLimits(raw, kPendingRecordsMax, kPendingBytesMax);
  if (status != NATS_OK) return failed(status, "subscribing");
  return raw;
}

// A stream as it is now.
struct Stream {
  std::uint64_t before_first = 0;  // of the records that are still there and those behind them none is missing
  std::uint64_t last = 0;
  std::uint64_t first = 0;
  std::uint64_t deleted = 0;  // records missing in its middle
  std::string created;
};

Stream stream_in(const json::Value& info) {
  Stream stream;
  stream.created = info.find_string("created").value_or("");
  const auto state = info.find("state");
  if (!state) return stream;
  stream.first = number_in(*state, "first_seq");
  stream.last = number_in(*state, "last_seq");
  stream.deleted = number_in(*state, "num_deleted");
  const bool is_empty = number_in(*state, "messages") == 0;
  stream.before_first = is_empty ? stream.last : std::max<std::uint64_t>(stream.first, 1) - 1;
  if (const auto deleted = state->find("deleted")) {
    for (const json::Value sequence : *deleted) {
      stream.before_first = std::max(stream.before_first, number_of(sequence.text()));
    }
  }
  return stream;
}

// Whether records of a subject can be appended to a stream of this configuration, and stay. Names what is wrong.
std::optional<std::string> unfitness(const json::Value& config, std::string_view subject) {
  bool takes_it = false;
  if (const auto subjects = config.find("subjects")) {
    for (const json::Value pattern : *subjects) takes_it = takes_it || matches_subject(pattern.text(), subject);
  }
  if (!takes_it) return fmt::format("does not take the subject {}", subject);
  const std::string_view retention = config.find_string("retention").value_or("");
  if (retention != "limits") {
    return fmt::format("has the retention \"{}\" and loses what somebody else has read: it must be \"limits\"",
                       retention);
  }
  if (config.has_true("no_ack")) return "acknowledges nothing (no_ack)";
  if (config.has_true("sealed")) return "is sealed";
  if (config.find("subject_transform")) return "keeps records under other subjects than they came by";
  return std::nullopt;
}

// What both sides do first: sees to it that the stream of the log and that of the notes are there and fit.
class Streams {
 public:
  Streams(const Target& target, const Link& link) : target_(target), link_(link) {}

  // Returns what the server says about the stream of the log.
  [[nodiscard]] Result<json::Document> prepare() const {
    // The server knows ids for as long as it keeps their records at most.
    const std::chrono::nanoseconds retention = target_.options.access.retention;
    constexpr std::chrono::nanoseconds kIdsKnown = std::chrono::minutes{2};
    const auto ids_known = retention.count() == 0 ? kIdsKnown : std::min(kIdsKnown, retention);
    const std::string keeps = fmt::format(R"("max_msgs":-1,"max_bytes":-1,"max_age":{},"duplicate_window":{})",
                                          retention.count(), ids_known.count());
    constexpr std::string_view kNotesLimits = R"("max_msgs":20000,"max_bytes":67108864)";
    auto log = prepare(target_.options.stream, target_.options.subject, keeps);
    if (!log) return log;
    if (auto notes = prepare(target_.notes_stream(), target_.notes_subject(), kNotesLimits); !notes) return notes;
    return log;
  }

 private:
  [[nodiscard]] Result<json::Document> prepare(const std::string& name, const std::string& subject,
                                               std::string_view limits) const {
    auto info = link_.ask("STREAM.INFO." + name);
    if (!info && info.error().kind == ErrorKind::not_found) {
      if (!target_.options.access.may_create) {
        return target_.error(ErrorKind::not_found, fmt::format("there is no stream {}, and it may not be made", name));
      }
      info = link_.ask("STREAM.CREATE." + name,
                       fmt::format(R"({{"name":{},"subjects":[{}],"retention":"limits","storage":"file",)"
                                   R"("discard":"old","max_consumers":-1,"max_msg_size":-1,"num_replicas":1,{}}})",
                                   in_json(name), in_json(subject), limits));
      if (!info) {
        return fail(info.error().kind,
                    fmt::format("the stream {} of {} cannot be made: {}", name, subject, info.error().message));
      }
    }
    if (!info) return info;
    const auto config = info->root().find("config");
    if (!config) return target_.error(ErrorKind::unavailable, fmt::format("says nothing about the stream {}", name));
    if (const auto wrong = unfitness(*config, subject)) {
      return target_.error(ErrorKind::invalid, fmt::format("the stream {} {}", name, *wrong));
    }
    return info;
  }

  const Target& target_;
  const Link& link_;
};

// The record before which every other came earlier than `time`, or the last one; asked of a consumer that reads
// nothing.
Result<std::uint64_t> sequence_before(const Link& link, const std::string& stream, WallTime time) {
  auto consumer = link.ask("CONSUMER.CREATE." + stream,
                           fmt::format(R"({{"stream_name":{},"config":{{"deliver_policy":"by_start_time",)"
                                       R"("opt_start_time":"{}","ack_policy":"explicit","replay_policy":"instant",)"
                                       R"("num_replicas":1,"mem_storage":true}}}})",
                                       in_json(stream), protocol::format_timestamp(time)));
  if (!consumer) return std::unexpected(consumer.error());
  const json::Value root = consumer->root();
  const std::string name(root.find_string("name").value_or(""));
  const auto delivered = root.find("delivered");
  const std::uint64_t sequence = delivered ? number_in(*delivered, "stream_seq") : 0;
  // It would go by itself after five seconds; a stream may be limited in how many it has.
  if (auto gone = link.ask(fmt::format("CONSUMER.DELETE.{}.{}", stream, name)); !gone) {
    return std::unexpected(gone.error());
  }
  return sequence;
}

// The records of a stream after one of them, sent by the server as fast as we read. What it sends is numbered twice:
// in the stream, where a hole is a record that is gone, and for this consumer, where one is a record lost on the way.
class Feed {
 public:
  struct Delivery {
    MessagePtr message;
    DeliveryStamp stamp;
  };

  static Result<std::unique_ptr<Feed>> open(const Target& target, Link& link, const std::string& stream,
                                            std::uint64_t after);

  // The record that the server began before, as far as it says; less than asked for where the stream is shorter.
  [[nodiscard]] std::uint64_t began_after() const { return began_after_; }
  [[nodiscard]] std::uint64_t pending_at_first() const { return pending_at_first_; }
  // Waits for the next record: nothing when none came in time. `unavailable` when something was lost on the way or the
  // server is silent, which it is not even where it has nothing to send.
  [[nodiscard]] Result<std::optional<Delivery>> next(milliseconds wait);

 private:
  Feed(const Target& target, const Link& link, natsSubscription* subscription)
      : target_(target), link_(link), subscription_(subscription) {}
  // Whether all that was sent so far has come.
  [[nodiscard]] bool heed(natsMsg* control) const;

  const Target& target_;
  const Link& link_;
  natsSubscription* subscription_;  // the link's
  std::uint64_t began_after_ = 0;
  std::uint64_t pending_at_first_ = 0;
  std::uint64_t received_ = 0;
  MonoTime heard_at_ = SystemClock().mono_now();
};

Result<std::unique_ptr<Feed>> Feed::open(const Target& target, Link& link, const std::string& stream,
                                         std::uint64_t after) {
  const std::string inbox = new_inbox();
  const auto subscription = link.subscribe(inbox);
  if (!subscription) return std::unexpected(subscription.error());
  std::unique_ptr<Feed> feed(new Feed(target, link, *subscription));
  const nanoseconds heartbeat = std::clamp<nanoseconds>(target.timeout() / 4, milliseconds(100), milliseconds(1000));
  auto consumer = link.ask("CONSUMER.CREATE." + stream,
                           fmt::format(R"({{"stream_name":{},"config":{{"deliver_subject":"{}",)"
                                       R"("deliver_policy":"by_start_sequence","opt_start_seq":{},"ack_policy":"none",)"
                                       R"("max_deliver":1,"replay_policy":"instant","flow_control":true,)"
                                       R"("idle_heartbeat":{},"num_replicas":1,"mem_storage":true}}}})",
                                       in_json(stream), inbox, after + 1, heartbeat.count()));
  if (!consumer) return std::unexpected(consumer.error());
  const auto delivered = consumer->root().find("delivered");
  feed->began_after_ = delivered ? number_in(*delivered, "stream_seq") : 0;
  feed->pending_at_first_ = number_in(consumer->root(), "num_pending");
  return feed;
}

Result<std::optional<Feed::Delivery>> Feed::next(milliseconds wait) {
  const MonoTime end = SystemClock().mono_now() + wait;
  while (true) {
    const MonoTime now = SystemClock().mono_now();
    const auto left = std::chrono::ceil<milliseconds>(std::max(end - now, MonoTime::duration::zero()));
    natsMsg* raw = nullptr;
    const natsStatus status = natsSubscription_NextMsg(&raw, subscription_, left.count());
    MessagePtr message(raw);
    if (status == NATS_TIMEOUT) {
      if (SystemClock().mono_now() - heard_at_ <= target_.timeout()) return std::nullopt;
      return target_.error(ErrorKind::unavailable, "has been silent for too long");
    }
    if (status != NATS_OK) return link_.failed(status, "following");
    heard_at_ = now;
    const auto stamp = parse_delivery_stamp(text_or_empty(natsMsg_GetReply(raw)));
    const bool is_whole = stamp ? stamp->consumer_sequence == ++received_ : heed(raw);
    if (!is_whole) return target_.error(ErrorKind::unavailable, "lost records on the way");
    if (stamp) return Delivery{std::move(message), *stamp};
  }
}

bool Feed::heed(natsMsg* control) const {
  std::string reply(text_or_empty(natsMsg_GetReply(control)));
  // A consumer that stalled says so in its heartbeats, lest our first answer was lost.
  if (reply.empty()) reply = header_of(control, "Nats-Consumer-Stalled");
  if (!reply.empty()) (void)natsConnection_Publish(link_.get(), reply.c_str(), nullptr, 0);
  return number_of(header_of(control, "Nats-Last-Consumer")) <= received_;
}

class Reader final : public BrokerReader {
 public:
  explicit Reader(const Target& target) : target_(target) {}

  Result<Extent> connect() override;
  Result<Extent> look() override;
  Result<Place> place_at(WallTime time) override;
  Result<> seek(const Place& after) override;
  Result<Batch> read(milliseconds wait) override;

 private:
  [[nodiscard]] std::unexpected<Error> not_connected() const {
    return target_.error(ErrorKind::unavailable, "is not connected");
  }
  void take(Feed::Delivery delivery, Batch& batch);

  const Target& target_;
  std::unique_ptr<Link> link_;
  std::unique_ptr<Feed> feed_;
  Stream stream_;             // as last seen
  std::uint64_t passed_ = 0;  // the last record that was read
  std::optional<GapReason> gap_;
};

Result<Extent> Reader::connect() {
  feed_.reset();
  link_.reset();
  stream_ = {};
  auto link = Link::open(target_);
  if (!link) return std::unexpected(link.error());
  if (auto log = Streams(target_, **link).prepare(); !log) return std::unexpected(log.error());
  link_ = std::move(*link);
  return look();
}

Result<Extent> Reader::look() {
  if (!link_) return not_connected();
  const std::string request = "STREAM.INFO." + target_.options.stream;
  auto info = link_->ask(request);
  if (!info) return std::unexpected(info.error());
  Stream stream = stream_in(info->root());
  const bool has_same_holes =
      stream.created == stream_.created && stream.first == stream_.first && stream.deleted == stream_.deleted;
  if (stream.deleted > kDeletedMax) {
    return target_.error(
        ErrorKind::invalid,
        fmt::format("more than {} records were deleted from the middle of the stream {}: give the events a "
                    "stream of their own, or purge it up to there",
                    kDeletedMax, target_.options.stream));
  }
  if (stream.deleted > 0 && has_same_holes) stream.before_first = std::max(stream.before_first, stream_.before_first);
  if (stream.deleted > 0 && !has_same_holes) {
    info = link_->ask(request, R"({"deleted_details":true})");
    if (!info) return std::unexpected(info.error());
    stream = stream_in(info->root());
  }
  stream_ = stream;
  return Extent{.before_first = Place(Offset{stream.before_first}),
                .last = Place(Offset{stream.last}),
                .added = stream.last,
                .incarnation = stream.created};
}

Result<Place> Reader::place_at(WallTime time) {
  if (!link_) return not_connected();
  auto sequence = sequence_before(*link_, target_.options.stream, time);
  if (!sequence) return std::unexpected(sequence.error());
  return Place(Offset{*sequence});
}

Result<> Reader::seek(const Place& after) {
  if (!link_) return not_connected();
  if (std::exchange(feed_, nullptr)) {
    link_.reset();
    auto link = Link::open(target_);
    if (!link) return std::unexpected(link.error());
    link_ = std::move(*link);
  }
  passed_ = after.at(0).high;
  gap_.reset();
  auto feed = Feed::open(target_, *link_, target_.options.stream, passed_);
  if (!feed) return std::unexpected(feed.error());
  feed_ = std::move(*feed);
  if (feed_->began_after() < passed_) gap_ = GapReason::epoch;
  return {};
}

Result<BrokerReader::Batch> Reader::read(milliseconds wait) {
  if (!feed_) return not_connected();
  Batch batch;
  std::size_t bytes = 0;
  while (!gap_ && batch.records.size() < kRecordsMax && bytes < kBytesMax) {
    auto delivery = feed_->next(batch.records.empty() ? wait : milliseconds(0));
    if (!delivery) {
      // Those that did come are in order, and the next call will say it again.
      if (!batch.records.empty()) return batch;
      return std::unexpected(delivery.error());
    }
    if (!*delivery) break;
    bytes += data_of((*delivery)->message.get()).size();
    take(std::move(**delivery), batch);
  }
  batch.gap = gap_;
  return batch;
}

void Reader::take(Feed::Delivery delivery, Batch& batch) {
  const DeliveryStamp& stamp = delivery.stamp;
  if (stamp.stream_sequence != passed_ + 1) {
    gap_ = stamp.stream_sequence <= passed_ ? GapReason::epoch : GapReason::trimmed;
    return;
  }
  passed_ = stamp.stream_sequence;
  natsMsg* message = delivery.message.get();
  BrokerRecord record{.offset = Offset{passed_}, .logged_at = stamp.stored_at, .id = {}, .bytes = {}};
  // Who may publish under another subject need not be allowed to publish events.
  if (text_or_empty(natsMsg_GetSubject(message)) == target_.options.subject) {
    record.id = header_of(message, kIdHeader);
    record.bytes = data_of(message);
  }
  batch.records.push_back(std::move(record));
}

class Writer final : public BrokerWriter {
 public:
  explicit Writer(const Target& target) : target_(target) {}

  Result<> connect() override;
  std::vector<std::string> warnings() override { return warnings_; }
  Result<std::vector<Stood>> append(std::span<const Record> records) override;
  Result<> append_note(std::string_view note) override;
  Result<std::vector<std::string>> read_notes() override;
  Result<Place> end() override;

 private:
  [[nodiscard]] std::unexpected<Error> not_connected() const {
    return target_.error(ErrorKind::unavailable, "is not connected");
  }
  void look_for_weakness(const json::Value& info);
  [[nodiscard]] Result<> publish(const std::string& subject, std::size_t token, const std::string& id,
                                 std::string_view bytes) const;
  // Waits for one acknowledgement each of `stood`, which were published with their index as token.
  [[nodiscard]] Result<> await(std::span<Stood> stood, const std::string& stream) const;
  [[nodiscard]] Result<> read_acknowledgement(natsMsg* message, std::span<Stood> stood,
                                              const std::string& stream) const;

  const Target& target_;
  std::unique_ptr<Link> link_;
  std::string inbox_;                             // the server acknowledges to "<inbox>.<token>"
  natsSubscription* acknowledgements_ = nullptr;  // the link's
  std::vector<std::string> warnings_;
};

Result<> Writer::connect() {
  link_.reset();
  auto link = Link::open(target_);
  if (!link) return std::unexpected(link.error());
  auto log = Streams(target_, **link).prepare();
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
  if (number_in(*config, "num_replicas") <= 1) {
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
  const std::uint64_t sequence = number_in(root, "seq");
  const std::string_view subject = text_or_empty(natsMsg_GetSubject(message));
  const auto token = parse_number<std::size_t>(subject.substr(std::min(inbox_.size() + 1, subject.size())));
  if (sequence == 0 || !token || *token >= stood.size() || root.find_string("stream") != stream) {
    return target_.error(ErrorKind::unavailable, "an acknowledgement is not of what was appended");
  }
  stood[*token] = {.lane = 0, .offset = Offset{sequence}, .is_repeat = root.has_true("duplicate")};
  return {};
}

Result<std::vector<BrokerWriter::Stood>> Writer::append(std::span<const Record> records) {
  if (!link_) return not_connected();
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
  if (!link_) return not_connected();
  if (auto sent = publish(target_.notes_subject(), 0, {}, note); !sent) return sent;
  Stood stood;
  return await(std::span(&stood, 1), target_.notes_stream());
}

Result<std::vector<std::string>> Writer::read_notes() {
  if (!link_) return not_connected();
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
  if (!link_) return not_connected();
  auto info = link_->ask("STREAM.INFO." + target_.options.stream);
  if (!info) return std::unexpected(info.error());
  return Place(Offset{stream_in(info->root()).last});
}

class JetstreamBroker final : public Broker {
 public:
  explicit JetstreamBroker(Target target) : target_(std::move(target)) {}

  [[nodiscard]] std::unique_ptr<BrokerReader> make_reader() const override { return std::make_unique<Reader>(target_); }
  [[nodiscard]] std::unique_ptr<BrokerWriter> make_writer() const override { return std::make_unique<Writer>(target_); }
  [[nodiscard]] char letter() const override { return 'n'; }
  [[nodiscard]] std::string name() const override {
    return fmt::format("NATS JetStream at {}, stream {}", target_.servers.name(), target_.options.stream);
  }

 private:
  Target target_;
};

}  // namespace

Result<std::unique_ptr<Broker>> make_jetstream_broker(JetstreamOptions options) {
  auto servers = parse_nats_url(options.access.url);
  if (!servers) return std::unexpected(servers.error());
  if (!servers->with_tls && !options.access.ca_file.empty()) {
    return fail(ErrorKind::invalid, "a CA file is of use only with TLS: the URL of NATS would begin with tls://");
  }
  if (!is_stream_name(options.stream)) {
    return fail(ErrorKind::invalid, "the name of a NATS stream is 1 to 200 characters without space, . * > / \\");
  }
  if (!is_plain_subject(options.subject)) {
    return fail(ErrorKind::invalid, "the subject for NATS is words divided by ., without space and wildcards");
  }
  Target target{.options = std::move(options), .servers = std::move(*servers), .where = {}};
  target.where = "NATS at " + target.servers.name();
  return std::make_unique<JetstreamBroker>(std::move(target));
}

}  // namespace carillon::eventlog
