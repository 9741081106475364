#include "ingest/grpc_publisher.hpp"

#include <carillon/v1/events.grpc.pb.h>
#include <grpc/support/log.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/server_builder_option.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "ingest/admission.hpp"
#include "ingest/event_id.hpp"
#include "ingest/grpc_event.hpp"
#include "ingest/record.hpp"
#include "ingest/refusal.hpp"
#include "net/http_head.hpp"
#include "net/listener.hpp"
#include "protocol/envelope.hpp"
#include "runtime/credit.hpp"
#include "runtime/loop.hpp"
#include "runtime/one_at_a_time.hpp"
#include "telemetry/log.hpp"

namespace carillon::ingest {

const bool GrpcPublisher::kIsBuilt = true;

namespace {

using grpc::ByteBuffer;
using grpc::StatusCode;
using telemetry::Level;

constexpr int kMessageBytesMax = static_cast<int>(protocol::kPublishBytesMax);
constexpr std::uint64_t kCallsMax = 128;  // streams and batches under way
constexpr int kCallsPerConnectionMax = 64;
constexpr std::int64_t kStreamBytesMax = 1 << 20;  // of events read and not yet answered, and
constexpr std::int64_t kEventOverheadBytes = 512;  // what each takes beside its bytes
constexpr std::size_t kRefusalBytesMax = 4096;     // clients take 8 KiB of metadata
constexpr const char* kRefusalsKey = "carillon-refusals-bin";
constexpr milliseconds kExpiryLook = std::chrono::hours{1};
constexpr milliseconds kLastAnswersTime{1000};  // after a token's expiry, for a client that takes none
constexpr std::chrono::seconds kStopTime{2};

std::string_view name_of(StatusCode code) {
  switch (code) {
    case StatusCode::OK:
      return "OK";
    case StatusCode::CANCELLED:
      return "CANCELLED";
    case StatusCode::INVALID_ARGUMENT:
      return "INVALID_ARGUMENT";
    case StatusCode::ALREADY_EXISTS:
      return "ALREADY_EXISTS";
    case StatusCode::PERMISSION_DENIED:
      return "PERMISSION_DENIED";
    case StatusCode::RESOURCE_EXHAUSTED:
      return "RESOURCE_EXHAUSTED";
    case StatusCode::UNAVAILABLE:
      return "UNAVAILABLE";
    case StatusCode::UNAUTHENTICATED:
      return "UNAUTHENTICATED";
    default:
      return "INTERNAL";
  }
}

v1::Refusal refusal(StatusCode status, std::string_view reason, std::string_view message,
                    std::string_view pointer = {}) {
  v1::Refusal refusal;
  refusal.set_status(status);
  refusal.set_reason(std::string(reason));
  refusal.set_message(std::string(message));
  refusal.set_pointer(std::string(pointer));
  return refusal;
}

v1::Refusal refusal_by_log(const Error& error) {
  const std::string why = explanation_of(error);
  switch (error.kind) {
    case ErrorKind::conflict:
      return refusal(StatusCode::ALREADY_EXISTS, "conflict", why);
    case ErrorKind::full:
      return refusal(StatusCode::RESOURCE_EXHAUSTED, "full", why);
    case ErrorKind::unavailable:
      return refusal(StatusCode::UNAVAILABLE, "unavailable", why);
    default:
      return refusal(StatusCode::INTERNAL, "internal", why);
  }
}

grpc::Status status_of(const v1::Refusal& refusal) {
  return {static_cast<StatusCode>(refusal.status()), refusal.message()};
}

// The event as the log takes it, with an id, or why not.
std::expected<eventlog::Record, v1::Refusal> check(const v1::Event& message, WallTime now) {
  auto event = parse_grpc_event(message, now);
  if (!event) {
    const protocol::EnvelopeFault& fault = event.error();
    return std::unexpected(refusal(StatusCode::INVALID_ARGUMENT, fault.code, fault.message, fault.pointer));
  }
  if (event->id.empty()) event->id = make_event_id();
  return record_of(*event);
}

// Messages are read by us and not by gRPC, which would take one that it cannot read for the end of a stream.
template <class Message>
bool read(ByteBuffer buffer, Message& message) {
  return grpc::SerializationTraits<Message>::Deserialize(&buffer, &message).ok();
}

template <class Message>
void write(const Message& message, ByteBuffer& buffer) {
  bool is_own = false;
  buffer.Clear();
  static_cast<void>(grpc::SerializationTraits<Message>::Serialize(message, &buffer, &is_own));
}

v1::Refusal unreadable() {
  return refusal(StatusCode::INVALID_ARGUMENT, "not_protobuf", "the message is not of carillon/v1/events.proto");
}

// The publisher's own thread writes these.
class Counts {
 public:
  explicit Counts(telemetry::Registry& metrics)
      : streams(metrics.gauge("carillon_grpc_streams", "gRPC streams under way")),
        accepted(metrics.counter("carillon_grpc_events_accepted_total", "events appended for gRPC callers")),
        duplicates(metrics.counter("carillon_grpc_events_duplicate_total", "events that gRPC callers repeated")),
        refused(metrics.counter("carillon_grpc_events_refused_total", "events refused in gRPC streams")),
        metrics_(metrics) {}

  void call(std::string_view method, StatusCode status) {
    telemetry::Counter*& cell = calls_[std::string(method) + std::string(name_of(status))];
    if (cell == nullptr)
      cell = &metrics_.counter("carillon_grpc_calls_total", "gRPC calls that have ended, by method and status",
                               {{"method", std::string(method)}, {"status", std::string(name_of(status))}});
    cell->add();
  }

  telemetry::Gauge& streams;
  telemetry::Counter &accepted, &duplicates, &refused;

 private:
  telemetry::Registry& metrics_;
  std::unordered_map<std::string, telemetry::Counter*> calls_;
};

class Stream;

// What all calls share.
struct Desk {
  eventlog::EventLog& log;
  std::shared_ptr<const auth::Verifier> verifier;
  const Clock& clock;
  milliseconds token_leeway;
  runtime::Loop& loop;
  runtime::Credit calls{kCallsMax};

  // The loop's thread.
  Counts counts;
  std::unordered_set<Stream*> streams;
  bool is_stopping = false;

  // Whose call it is, with a place among those under way, which its end gives back. gRPC's threads.
  std::expected<Principal, grpc::Status> admit(const grpc::CallbackServerContext& context);
  // The loop's thread.
  void note_refusal(std::string_view method, const grpc::Status& status, const std::string& client);
};

std::expected<Principal, grpc::Status> Desk::admit(const grpc::CallbackServerContext& context) {
  net::HttpHead head;
  const auto [begin, end] = context.client_metadata().equal_range("authorization");
  for (auto it = begin; it != end; ++it)
    head.fields.emplace_back("authorization", std::string(it->second.data(), it->second.size()));
  auto principal = ingest::admit(head.bearer_token(), *verifier, Grant::publish, clock.wall_now());
  if (!principal) {
    const Denial& denial = principal.error();
    return std::unexpected(grpc::Status(denial.is_known ? StatusCode::PERMISSION_DENIED : StatusCode::UNAUTHENTICATED,
                                        std::string(denial.fault.code) + ": " + denial.fault.message));
  }
  if (!calls.try_take(1)) return std::unexpected(grpc::Status(StatusCode::RESOURCE_EXHAUSTED, "too many calls"));
  return std::move(*principal);
}

void Desk::note_refusal(std::string_view method, const grpc::Status& status, const std::string& client) {
  counts.call(method, status.error_code());
  telemetry::log(Level::info, "publish refused",
                 {{"status", name_of(status.error_code())}, {"reason", status.error_message()}, {"client", client}});
}

// A call that ends as it begins.
template <class Reactor>
class Refused final : public Reactor {
 public:
  explicit Refused(grpc::Status status) { this->Finish(std::move(status)); }
  void OnDone() override { delete this; }
};

template <class Reactor>
Reactor* refuse(Desk& desk, std::string_view method, const grpc::CallbackServerContext& context, grpc::Status status) {
  desk.loop.post([&desk, method, status, client = context.peer()] { desk.note_refusal(method, status, client); });
  return new Refused<Reactor>(std::move(status));
}

constexpr std::string_view kPublish = "Publish";
constexpr std::string_view kPublishStream = "PublishStream";

// One call of Publish. Lives until gRPC is done with it, which is after Finish().
class Batch final : public grpc::ServerUnaryReactor {
 public:
  // gRPC's thread.
  Batch(Desk& desk, grpc::CallbackServerContext& context, ByteBuffer& response)
      : desk_(desk), context_(context), response_(response) {}
  void begin(const ByteBuffer& request);
  void OnDone() override {
    desk_.calls.give_back(1);
    delete this;
  }

 private:
  std::expected<std::vector<eventlog::Record>, grpc::Status> check_all(const ByteBuffer& request);
  void refuse(grpc::Status status);
  void answer(const eventlog::Appended& appended);

  Desk& desk_;
  grpc::CallbackServerContext& context_;
  ByteBuffer& response_;
  v1::PublishResponse answer_;
};

void Batch::begin(const ByteBuffer& request) {
  auto records = check_all(request);
  if (!records)
    return desk_.loop.post([this, status = std::move(records.error())]() mutable { refuse(std::move(status)); });
  for (const eventlog::Record& record : *records) answer_.add_ids(record.id);
  desk_.log.append(std::move(*records), [this](Result<eventlog::Appended> result) {
    desk_.loop.post([this, result = std::move(result)] {
      result ? answer(*result) : refuse(status_of(refusal_by_log(result.error())));
    });
  });
}

std::expected<std::vector<eventlog::Record>, grpc::Status> Batch::check_all(const ByteBuffer& request) {
  const auto invalid = [](const char* why) { return std::unexpected(grpc::Status(StatusCode::INVALID_ARGUMENT, why)); };
  v1::PublishRequest message;
  if (!read(request, message)) return std::unexpected(status_of(unreadable()));
  if (message.events().empty()) return invalid("the call holds no event");
  if (static_cast<std::size_t>(message.events_size()) > protocol::kBatchItemsMax)
    return invalid("at most 1000 events in one call");

  const WallTime now = desk_.clock.wall_now();
  std::vector<eventlog::Record> records;
  records.reserve(static_cast<std::size_t>(message.events_size()));
  v1::Refusals refusals;
  for (int i = 0; i < message.events_size(); ++i) {
    auto record = check(message.events(i), now);
    if (record) {
      records.push_back(std::move(*record));
    } else if (refusals.ByteSizeLong() < kRefusalBytesMax) {
      record.error().set_index(static_cast<std::uint32_t>(i));
      *refusals.add_refusals() = std::move(record.error());
    }
  }
  if (refusals.refusals().empty()) return records;
  context_.AddTrailingMetadata(kRefusalsKey, refusals.SerializeAsString());
  const v1::Refusal& first = refusals.refusals(0);
  return std::unexpected(grpc::Status(StatusCode::INVALID_ARGUMENT,
                                      "nothing was accepted; event " + std::to_string(first.index()) + ", " +
                                          (first.pointer().empty() ? "" : first.pointer() + ": ") + first.message()));
}

// The loop's thread.
void Batch::refuse(grpc::Status status) {
  desk_.note_refusal(kPublish, status, context_.peer());
  Finish(std::move(status));
}

void Batch::answer(const eventlog::Appended& appended) {
  desk_.counts.call(kPublish, StatusCode::OK);
  desk_.counts.accepted.add(appended.accepted);
  desk_.counts.duplicates.add(appended.duplicates);
  answer_.set_accepted(appended.accepted);
  answer_.set_duplicates(appended.duplicates);
  answer_.set_position(appended.position.text);
  write(answer_, response_);
  Finish(grpc::Status::OK);
}

// One call of PublishStream.
//
// Whichever of gRPC's threads has read an event checks and appends it, by a call of its own, so that each has its own
// outcome; the log takes together what waits for it. The outcomes are brought into the order of the events on the
// loop. Answers are written by whichever thread is there, one after the other.
class Stream final : public grpc::ServerBidiReactor<ByteBuffer, ByteBuffer>,
                     public std::enable_shared_from_this<Stream>,
                     private runtime::TimerHandler {
 public:
  Stream(Desk& desk, grpc::CallbackServerContext& context, Principal principal)
      : desk_(desk), context_(context), principal_(std::move(principal)) {}

  // gRPC's threads.
  void start() {
    self_ = shared_from_this();
    desk_.loop.post([self = self_] { self->begin(); });
  }
  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override {
    desk_.loop.post([self = self_] { self->end({StatusCode::CANCELLED, "the call was cancelled"}); });
  }
  void OnDone() override {
    desk_.loop.post([self = std::move(self_)] { self->forget(); });
  }

  // The loop's thread. Takes no more events, and finishes with `status` once every event taken is answered. The first
  // status counts.
  void end(grpc::Status status);

 private:
  using Outcome = std::expected<eventlog::Appended, v1::Refusal>;
  struct Taken {
    std::string id;
    std::int64_t bytes = 0;
  };
  // What is to be said, in order: answers, and that there are no more.
  struct Saying {
    ByteBuffer message;
    std::int64_t bytes = 0;
    bool is_end = false;
  };

  // gRPC's threads.
  void take(std::int64_t bytes, std::expected<eventlog::Record, v1::Refusal> record);
  void give_back(std::int64_t bytes);

  // Any thread, one at a time.
  void say(Saying saying, bool is_more_waiting);

  // The loop's thread.
  void begin();
  void settle(std::uint64_t number, Taken taken, Outcome outcome);
  void answer(const Taken& taken, Outcome& outcome);
  void end_when_answered();
  void finish();
  void forget();
  void on_timer() override;

  Desk& desk_;
  grpc::CallbackServerContext& context_;  // until finish()
  const Principal principal_;
  std::shared_ptr<Stream> self_;  // until gRPC is done with this

  // How many more bytes of events may be read: a read is under way exactly while there are any. Whoever takes the last
  // of them, or gives the first one back, knows that the other side is not reading.
  std::atomic<std::int64_t> room_{kStreamBytesMax};
  std::atomic<std::uint64_t> taken_{0};  // events, each with a number from 0
  std::atomic<bool> takes_no_more_{false};
  ByteBuffer reading_;
  runtime::OneAtATime<Saying> sayings_;
  ByteBuffer writing_;
  std::int64_t writing_bytes_ = 0;
  std::atomic<bool> is_lost_{false};  // the client takes no more answers

  // The loop's.
  std::deque<std::optional<std::pair<Taken, Outcome>>> outcomes_;  // from number answered_ on; nothing: not known yet
  std::uint64_t answered_ = 0;
  std::uint64_t to_answer_ = 0;  // once end_ is set
  std::optional<grpc::Status> end_;
  bool is_ended_ = false;  // the end is said, or waits to be
  bool is_finished_ = false;
  runtime::Timer expiry_{*this};
  std::uint64_t accepted_ = 0, duplicates_ = 0, refused_ = 0;
};

void Stream::begin() {
  desk_.streams.insert(this);
  desk_.counts.streams.add(1);
  if (desk_.is_stopping) return end({StatusCode::UNAVAILABLE, "the server stops"});
  on_timer();
  if (!end_) StartRead(&reading_);
}

void Stream::OnReadDone(bool ok) {
  if (!ok) return desk_.loop.post([self = self_] { self->end(grpc::Status::OK); });
  if (takes_no_more_) return;
  const std::int64_t bytes = static_cast<std::int64_t>(reading_.Length()) + kEventOverheadBytes;
  v1::Event message;
  const bool is_read = read(reading_, message);
  reading_.Clear();
  take(bytes, is_read ? check(message, desk_.clock.wall_now()) : std::unexpected(unreadable()));
  if (room_.fetch_sub(bytes) > bytes) StartRead(&reading_);
}

void Stream::take(std::int64_t bytes, std::expected<eventlog::Record, v1::Refusal> record) {
  const std::uint64_t number = taken_.fetch_add(1);
  const auto settle_later = [number](std::shared_ptr<Stream> self, Taken taken, Outcome outcome) {
    runtime::Loop& loop = self->desk_.loop;
    loop.post([self = std::move(self), number, taken = std::move(taken), outcome = std::move(outcome)]() mutable {
      self->settle(number, std::move(taken), std::move(outcome));
    });
  };
  if (!record) return settle_later(self_, {{}, bytes}, std::unexpected(std::move(record.error())));
  Taken taken{record->id, bytes};
  std::vector<eventlog::Record> records;
  records.push_back(std::move(*record));
  desk_.log.append(std::move(records), [self = self_, taken = std::move(taken),
                                        settle_later](Result<eventlog::Appended> result) mutable {
    Outcome outcome = result ? Outcome(std::move(*result)) : std::unexpected(refusal_by_log(result.error()));
    settle_later(std::move(self), std::move(taken), std::move(outcome));
  });
}

void Stream::settle(std::uint64_t number, Taken taken, Outcome outcome) {
  const auto at = static_cast<std::size_t>(number - answered_);
  if (outcomes_.size() <= at) outcomes_.resize(at + 1);
  outcomes_[at].emplace(std::move(taken), std::move(outcome));
  while (!outcomes_.empty() && outcomes_.front()) {
    answer(outcomes_.front()->first, outcomes_.front()->second);
    outcomes_.pop_front();
    ++answered_;
  }
  end_when_answered();
}

void Stream::answer(const Taken& taken, Outcome& outcome) {
  v1::Answer answer;
  answer.set_id(taken.id);
  if (outcome) {
    accepted_ += outcome->accepted;
    duplicates_ += outcome->duplicates;
    desk_.counts.accepted.add(outcome->accepted);
    desk_.counts.duplicates.add(outcome->duplicates);
    answer.set_position(std::move(outcome->position.text));
    answer.set_is_duplicate(outcome->duplicates > 0);
  } else {
    ++refused_;
    desk_.counts.refused.add();
    *answer.mutable_refusal() = std::move(outcome.error());
  }
  if (is_ended_) return;
  Saying saying{.message = {}, .bytes = taken.bytes};
  write(answer, saying.message);
  if (auto now = sayings_.bring(std::move(saying))) say(std::move(*now), false);
}

void Stream::say(Saying saying, bool is_more_waiting) {
  if (saying.is_end) return desk_.loop.post([self = self_] { self->finish(); });
  writing_.Swap(&saying.message);
  grpc::WriteOptions options;
  if (is_more_waiting) options.set_buffer_hint();
  writing_bytes_ = saying.bytes;
  StartWrite(&writing_, options);
}

void Stream::OnWriteDone(bool ok) {
  if (!ok && !is_lost_.exchange(true))
    desk_.loop.post([self = self_] { self->end({StatusCode::CANCELLED, "the client is gone"}); });
  give_back(writing_bytes_);
  auto next = sayings_.next();
  while (next && is_lost_ && !next->is_end) next = sayings_.next();
  if (next) say(std::move(*next), sayings_.is_one_waiting());
}

void Stream::give_back(std::int64_t bytes) {
  const std::int64_t room = room_.fetch_add(bytes);
  if (room <= 0 && room + bytes > 0) StartRead(&reading_);
}

void Stream::end(grpc::Status status) {
  if (end_) return;
  end_ = std::move(status);
  takes_no_more_ = true;
  to_answer_ = taken_;
  end_when_answered();
}

// An event that was being read when the end was decided may still get into the log, unanswered: it is to be repeated.
void Stream::end_when_answered() {
  if (!end_ || answered_ < to_answer_ || std::exchange(is_ended_, true)) return;
  if (auto now = sayings_.bring({.message = {}, .bytes = 0, .is_end = true})) say(std::move(*now), false);
}

void Stream::finish() {
  is_finished_ = true;
  expiry_.disarm();
  desk_.counts.call(kPublishStream, end_->error_code());
  telemetry::log(Level::info, "grpc stream ended",
                 {{"status", name_of(end_->error_code())},
                  {"user", principal_.user_id},
                  {"client", context_.peer()},
                  {"accepted", accepted_},
                  {"duplicates", duplicates_},
                  {"refused", refused_}});
  Finish(*end_);
}

void Stream::forget() {
  desk_.streams.erase(this);
  desk_.counts.streams.add(-1);
  desk_.calls.give_back(1);
}

// Looks at the wall clock, which may be set, from time to time.
void Stream::on_timer() {
  const auto left = principal_.expires_at + desk_.token_leeway - desk_.clock.wall_now();
  if (left > milliseconds{0}) return desk_.loop.arm(expiry_, std::min<milliseconds>(left, kExpiryLook));
  if (end_) return context_.TryCancel();
  desk_.loop.arm(expiry_, kLastAnswersTime);
  end({StatusCode::UNAUTHENTICATED, "expired: the token has expired"});
}

using RawPublish = v1::EventService::WithRawCallbackMethod_Publish<v1::EventService::Service>;
using RawService = v1::EventService::WithRawCallbackMethod_PublishStream<RawPublish>;

class Service final : public RawService {
 public:
  explicit Service(Desk& desk) : desk_(desk) {}

  grpc::ServerUnaryReactor* Publish(grpc::CallbackServerContext* context, const ByteBuffer* request,
                                    ByteBuffer* response) override {
    auto principal = desk_.admit(*context);
    if (!principal) return refuse<grpc::ServerUnaryReactor>(desk_, kPublish, *context, std::move(principal.error()));
    auto* batch = new Batch(desk_, *context, *response);
    batch->begin(*request);
    return batch;
  }

  grpc::ServerBidiReactor<ByteBuffer, ByteBuffer>* PublishStream(grpc::CallbackServerContext* context) override {
    auto principal = desk_.admit(*context);
    if (!principal)
      return refuse<grpc::ServerBidiReactor<ByteBuffer, ByteBuffer>>(desk_, kPublishStream, *context,
                                                                     std::move(principal.error()));
    const auto stream = std::make_shared<Stream>(desk_, *context, std::move(*principal));
    stream->start();
    return stream.get();
  }

 private:
  Desk& desk_;
};

// The library's own set of plugins is a matter of what is linked: reflection alone would be in every server.
class Plugins final : public grpc::ServerBuilderOption {
 public:
  explicit Plugins(bool reflection) : reflection_(reflection) {}
  void UpdateArguments(grpc::ChannelArguments* /*arguments*/) override {}
  void UpdatePlugins(std::vector<std::unique_ptr<grpc::ServerBuilderPlugin>>* plugins) override {
    plugins->clear();
    if (reflection_) plugins->push_back(std::make_unique<grpc::reflection::ProtoServerReflectionPlugin>());
  }

 private:
  const bool reflection_;
};

// gRPC 1.51 has no setting for the oldest TLS version: TLS 1.3 alone is had by offering 1.2 with a cipher suite that a
// certificate cannot serve. Read by the library once, when the first credentials are made.
void refuse_tls12() {
  ::setenv("GRPC_SSL_CIPHER_SUITES", "PSK-AES256-GCM-SHA384", 1);
}

std::shared_ptr<grpc::ServerCredentials> make_credentials(const GrpcPublisher::Options& options) {
  constexpr unsigned kLookSeconds = 10;
  namespace tls = grpc::experimental;
  if (!options.allow_tls12) refuse_tls12();
  tls::TlsServerCredentialsOptions credentials(std::make_shared<tls::FileWatcherCertificateProvider>(
      options.private_key.string(), options.certificate.string(), kLookSeconds));
  credentials.watch_identity_key_cert_pairs();
  return tls::TlsServerCredentials(credentials);
}

void set_limits(grpc::ServerBuilder& builder) {
  constexpr int kSecond = 1000;
  constexpr int kMinute = 60 * kSecond;
  constexpr std::pair<const char*, int> kArguments[] = {
      {GRPC_ARG_MAX_CONCURRENT_STREAMS, kCallsPerConnectionMax},
      {GRPC_ARG_MAX_METADATA_SIZE, 16 * 1024},
      // What waits unread, for each stream, in place of a window that grows by itself.
      {GRPC_ARG_HTTP2_BDP_PROBE, 0},
      {GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 256 * 1024},
      {GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, 5 * kSecond},
      {GRPC_ARG_MAX_CONNECTION_IDLE_MS, 5 * kMinute},
      {GRPC_ARG_MAX_CONNECTION_AGE_MS, 60 * kMinute},
      {GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, 5 * kMinute},
      // A peer that does not answer is gone; one that pings more often than this is in error.
      {GRPC_ARG_KEEPALIVE_TIME_MS, kMinute},
      {GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20 * kSecond},
      {GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10 * kSecond},
      {GRPC_ARG_HTTP2_MAX_PING_STRIKES, 2},
      {GRPC_ARG_ENABLE_CHANNELZ, 0},
  };
  for (const auto& [name, value] : kArguments) builder.AddChannelArgument(name, value);
  builder.SetMaxReceiveMessageSize(kMessageBytesMax);
  // As over REST: a small message must not unpack into a large one.
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
  constexpr std::size_t kMemoryBytes = std::size_t{256} << 20;
  builder.SetResourceQuota(grpc::ResourceQuota("carillon").Resize(kMemoryBytes));
}

// What the library has to say of peers, as of handshakes that failed.
void take_log_line(gpr_log_func_args* line) {
  if (line->severity == GPR_LOG_SEVERITY_ERROR) telemetry::log(Level::info, "grpc", {{"message", line->message}});
}

}  // namespace

struct GrpcPublisher::State {
  State(Options chosen, eventlog::EventLog& log, std::shared_ptr<const auth::Verifier> verifier, const Clock& clock,
        telemetry::Registry& metrics)
      : options(std::move(chosen)),
        thread(clock, "grpc"),
        desk{.log = log,
             .verifier = std::move(verifier),
             .clock = clock,
             .token_leeway = options.token_leeway,
             .loop = thread.loop(),
             .counts = Counts(metrics),
             .streams = {}},
        service(desk) {}

  const Options options;
  runtime::LoopThread thread;
  Desk desk;
  Service service;
  std::unique_ptr<grpc::Server> server;
};

GrpcPublisher::GrpcPublisher(Options options, eventlog::EventLog& log, std::shared_ptr<const auth::Verifier> verifier,
                             const Clock& clock, telemetry::Registry& metrics)
    : state_(std::make_unique<State>(std::move(options), log, std::move(verifier), clock, metrics)) {}

GrpcPublisher::~GrpcPublisher() {
  stop();
}

Result<> GrpcPublisher::start() {
  const Options& options = state_->options;
  if (!options.reuse_port)
    if (auto is_free = net::ensure_port_is_free(options.listen); !is_free) return is_free;
  gpr_set_log_function(take_log_line);
  grpc::ServerBuilder builder;
  set_limits(builder);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, options.reuse_port ? 1 : 0);
  builder.SetOption(std::make_unique<Plugins>(options.reflection));
  builder.RegisterService(&state_->service);
  builder.AddListeningPort(options.listen.text(), make_credentials(options));
  state_->thread.start();
  state_->server = builder.BuildAndStart();
  if (state_->server) return {};
  state_->thread.stop();
  return fail(ErrorKind::unavailable, "gRPC cannot listen on " + options.listen.text());
}

void GrpcPublisher::stop() {
  if (!state_->server) return;
  state_->desk.loop.post([&desk = state_->desk] {
    desk.is_stopping = true;
    for (Stream* stream : desk.streams) stream->end({StatusCode::UNAVAILABLE, "the server stops"});
  });
  state_->server->Shutdown(std::chrono::system_clock::now() + kStopTime);
  state_->thread.stop();
  state_->server.reset();
}

}  // namespace carillon::ingest
