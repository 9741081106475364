#include "eventlog/kafka_client.hpp"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <future>
#include <thread>

namespace carillon::eventlog {
namespace {

// An answer is waited for in slices of this, between which callbacks run.
constexpr milliseconds kSlice{200};
// What a reader may have fetched ahead. librdkafka 2.0 that has so much looks again only after a second, so this must
// last for one: at 128 MiB, 200,000 records of 600 bytes.
constexpr const char* kFetchedAheadKbytes = "131072";

template <auto destroy>
struct Destroy {
  template <class T>
  void operator()(T* pointer) const {
    destroy(pointer);
  }
};
using Metadata = std::unique_ptr<const struct rd_kafka_metadata, Destroy<rd_kafka_metadata_destroy>>;
using Partitions = std::unique_ptr<rd_kafka_topic_partition_list_t, Destroy<rd_kafka_topic_partition_list_destroy>>;
using Queue = std::unique_ptr<rd_kafka_queue_t, Destroy<rd_kafka_queue_destroy>>;
using Event = std::unique_ptr<rd_kafka_event_t, Destroy<rd_kafka_event_destroy>>;
using AdminOptions = std::unique_ptr<rd_kafka_AdminOptions_t, Destroy<rd_kafka_AdminOptions_destroy>>;
using NewTopic = std::unique_ptr<rd_kafka_NewTopic_t, Destroy<rd_kafka_NewTopic_destroy>>;
using ConfigResource = std::unique_ptr<rd_kafka_ConfigResource_t, Destroy<rd_kafka_ConfigResource_destroy>>;
using TopicHandle = std::unique_ptr<rd_kafka_topic_t, Destroy<rd_kafka_topic_destroy>>;

int milliseconds_of(milliseconds wait) {
  return static_cast<int>(std::clamp<milliseconds::rep>(wait.count(), 0, 1'000'000));
}

ErrorKind kind_of(rd_kafka_resp_err_t code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
      return ErrorKind::denied;
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM:
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
    case RD_KAFKA_RESP_ERR_INVALID_CONFIG:
    case RD_KAFKA_RESP_ERR_INVALID_PARTITIONS:
    case RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
      return ErrorKind::invalid;
    default:
      return ErrorKind::unavailable;
  }
}

// What librdkafka says when an attempt to connect failed may be the network's fault or the configuration's. It has one
// code for both; a connection lost in the middle of a handshake or login is told by its words.
std::optional<ErrorKind> refusal_kind(rd_kafka_resp_err_t code, std::string_view reason) {
  const auto says = [reason](std::string_view word) { return reason.find(word) != std::string_view::npos; };
  if (code == RD_KAFKA_RESP_ERR__AUTHENTICATION && !says("Local: ") && !says("isconnected")) return ErrorKind::denied;
  if (code == RD_KAFKA_RESP_ERR__SSL && (says("certificate") || says("wrong version number") || says("alert"))) {
    return ErrorKind::invalid;
  }
  if (code == RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE) return ErrorKind::invalid;
  return std::nullopt;
}

}  // namespace

// Shared with the thread that lets go of the client, because librdkafka calls back until then.
struct KafkaClient::State {
  rd_kafka_t* handle = nullptr;
  std::string address;
  std::map<std::string, TopicHandle> topics;
  std::optional<Error> refusal;
  std::string last_trouble;  // for people: why the last connection was lost
  bool lost = false;
  OnDelivery on_delivery;

  void heard(rd_kafka_resp_err_t code, std::string_view reason) {
    if (const auto kind = refusal_kind(code, reason)) {
      refusal = Error{*kind, fmt::format("Kafka at {} does not let us in: {}", address, reason)};
    }
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
      lost = true;
    } else {
      last_trouble = reason;
    }
  }
};

KafkaClient::KafkaClient(const KafkaOptions& options) : options_(options), state_(std::make_shared<State>()) {
  state_->address = options.access.url;
}

Result<std::unique_ptr<KafkaClient>> KafkaClient::make(const KafkaOptions& options, Role role) {
  std::unique_ptr<KafkaClient> client(new KafkaClient(options));
  const BrokerAccess& access = options.access;
  const bool has_login = !options.sasl_mechanism.empty();
  const std::string timeout = std::to_string(std::max<milliseconds::rep>(access.timeout.count(), 1000));
  Settings settings{
      {"bootstrap.servers", access.url},
      {"client.id", "carillon"},
      {"security.protocol", std::string(has_login ? "sasl_" : "") + (options.uses_tls ? "ssl" : "plaintext")},
      {"socket.timeout.ms", timeout},
      {"socket.connection.setup.timeout.ms", timeout},
      {"socket.nagle.disable", "true"},
      {"reconnect.backoff.ms", "50"},
      {"reconnect.backoff.max.ms", "1000"},
      {"topic.metadata.propagation.max.ms", "0"},  // we wait for topics by ourselves
      {"allow.auto.create.topics", "false"},       // and create them only where we may
  };
  if (has_login) {
    settings.insert({{"sasl.mechanism", options.sasl_mechanism},
                     {"sasl.username", access.username},
                     {"sasl.password", access.password}});
  }
  if (options.uses_tls) {
    if (!access.ca_file.empty()) settings["ssl.ca.location"] = access.ca_file;
    if (!access.certificate.empty()) settings["ssl.certificate.location"] = access.certificate;
    if (!access.private_key.empty()) settings["ssl.key.location"] = access.private_key;
  }
  if (role == Role::reader) {
    settings.insert({{"auto.offset.reset", "error"},
                     {"enable.auto.commit", "false"},
                     {"enable.auto.offset.store", "false"},
                     {"isolation.level", "read_committed"},
                     {"check.crcs", "true"},
                     {"fetch.min.bytes", "1"},
                     {"fetch.wait.max.ms", "500"},
                     {"fetch.error.backoff.ms", "50"},
                     {"fetch.message.max.bytes", "524288"},
                     {"queued.min.messages", "1000000"},
                     {"queued.max.messages.kbytes", kFetchedAheadKbytes}});
  } else {
    settings.insert({{"enable.idempotence", "true"},
                     {"acks", "all"},
                     {"linger.ms", "0"},
                     {"message.timeout.ms", timeout},
                     {"request.timeout.ms", timeout},
                     {"partitioner", "murmur2_random"},
                     {"message.max.bytes", "4194304"},
                     {"batch.size", "1000000"},
                     {"retry.backoff.ms", "50"}});
  }

  rd_kafka_conf_t* configuration = rd_kafka_conf_new();
  std::array<char, 512> reason{};
  for (const auto& [key, value] : settings) {
    if (rd_kafka_conf_set(configuration, key.c_str(), value.c_str(), reason.data(), reason.size()) !=
        RD_KAFKA_CONF_OK) {
      rd_kafka_conf_destroy(configuration);
      // The reason could repeat a password.
      return fail(ErrorKind::invalid, fmt::format("the Kafka client does not take its setting {}", key));
    }
  }
  rd_kafka_conf_set_opaque(configuration, client->state_.get());
  rd_kafka_conf_set_log_cb(configuration, [](const rd_kafka_t*, int, const char*, const char*) {});
  rd_kafka_conf_set_error_cb(configuration, [](rd_kafka_t*, int code, const char* text, void* opaque) {
    static_cast<State*>(opaque)->heard(static_cast<rd_kafka_resp_err_t>(code), text);
  });
  if (role == Role::writer) {
    rd_kafka_conf_set_dr_msg_cb(configuration, [](rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
      const State& state = *static_cast<State*>(opaque);
      if (state.on_delivery) state.on_delivery(*message);
    });
  }
  client->state_->handle = rd_kafka_new(role == Role::reader ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER, configuration,
                                        reason.data(), reason.size());
  if (client->state_->handle == nullptr) {
    rd_kafka_conf_destroy(configuration);
    return fail(ErrorKind::invalid, fmt::format("Kafka at {}: {}", access.url, reason.data()));
  }
  return client;
}

KafkaClient::~KafkaClient() {
  if (state_->handle == nullptr) return;
  state_->on_delivery = nullptr;
  std::promise<void> done;
  const std::future<void> ended = done.get_future();
  std::thread([state = std::move(state_), done = std::move(done)]() mutable {
    if (rd_kafka_type(state->handle) == RD_KAFKA_PRODUCER) {
      rd_kafka_purge(state->handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    }
    state->topics.clear();
    rd_kafka_destroy_flags(state->handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    done.set_value();
  }).detach();
  (void)ended.wait_for(std::chrono::seconds{1});
}

rd_kafka_t* KafkaClient::handle() const {
  return state_->handle;
}

rd_kafka_topic_t* KafkaClient::topic(const std::string& name) {
  TopicHandle& topic = state_->topics[name];
  if (!topic) topic.reset(rd_kafka_topic_new(state_->handle, name.c_str(), nullptr));
  return topic.get();
}

void KafkaClient::serve(milliseconds wait) {
  rd_kafka_poll(state_->handle, milliseconds_of(wait));
}

void KafkaClient::on_delivery(OnDelivery callback) {
  state_->on_delivery = std::move(callback);
}

const std::optional<Error>& KafkaClient::refusal() const {
  return state_->refusal;
}

bool KafkaClient::take_lost() {
  return std::exchange(state_->lost, false);
}

Error KafkaClient::error(int code, std::string_view doing) const {
  if (state_->refusal) return *state_->refusal;
  const auto err = static_cast<rd_kafka_resp_err_t>(code);
  std::string message = fmt::format("Kafka at {}: {}: {}", state_->address, doing, rd_kafka_err2str(err));
  const bool is_local = code < 0;
  if (is_local && !state_->last_trouble.empty()) message += fmt::format(" ({})", state_->last_trouble);
  return Error{kind_of(err), std::move(message)};
}

Result<std::optional<KafkaClient::Topic>> KafkaClient::describe(const std::string& name) {
  const auto doing = [&name] { return "looking at topic " + name; };
  rd_kafka_topic_t* const wanted = topic(name);
  if (wanted == nullptr) return std::unexpected(error(rd_kafka_last_error(), doing()));
  const MonoTime deadline = std::chrono::steady_clock::now() + options_.access.timeout;
  while (true) {
    const struct rd_kafka_metadata* raw = nullptr;
    rd_kafka_resp_err_t code = rd_kafka_metadata(handle(), 0, wanted, &raw, milliseconds_of(kSlice));
    const Metadata metadata(raw);
    serve(milliseconds{0});
    if (state_->refusal) return std::unexpected(*state_->refusal);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR && metadata->topic_cnt == 1) {
      const rd_kafka_metadata_topic& found = metadata->topics[0];
      code = found.err;
      if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) return std::optional<Topic>{};
      if (code != RD_KAFKA_RESP_ERR_NO_ERROR && kind_of(code) != ErrorKind::unavailable) {
        return std::unexpected(error(code, doing()));
      }
      Topic shape{.lanes = static_cast<std::size_t>(found.partition_cnt), .replicas_min = SIZE_MAX};
      bool has_leaders = code == RD_KAFKA_RESP_ERR_NO_ERROR && shape.lanes > 0;
      for (int i = 0; i < found.partition_cnt; ++i) {
        const rd_kafka_metadata_partition& partition = found.partitions[i];
        has_leaders = has_leaders && partition.leader >= 0;
        shape.replicas_min = std::min(shape.replicas_min, static_cast<std::size_t>(partition.replica_cnt));
      }
      if (has_leaders) return shape;
      if (code == RD_KAFKA_RESP_ERR_NO_ERROR) code = RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
      serve(milliseconds{50});
    }
    if (std::chrono::steady_clock::now() >= deadline) return std::unexpected(error(code, doing()));
  }
}

Result<KafkaClient::Topic> KafkaClient::open(const std::string& name, int partitions, const Settings& settings) {
  auto found = describe(name);
  if (found && !*found) {
    if (!options_.access.may_create) {
      return fail(ErrorKind::not_found,
                  fmt::format("Kafka at {} has no topic {}: create it, or let this node do so", state_->address, name));
    }
    if (auto created = create(name, partitions, settings); !created) return std::unexpected(created.error());
    // Who made it knows it before those that are asked.
    const MonoTime deadline = std::chrono::steady_clock::now() + options_.access.timeout;
    do {
      serve(milliseconds{20});
      found = describe(name);
    } while (found && !*found && std::chrono::steady_clock::now() < deadline);
  }
  if (!found) return std::unexpected(found.error());
  if (!*found) return std::unexpected(error(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, "creating topic " + name));
  if ((*found)->lanes > kLanesMax) {
    return fail(ErrorKind::invalid,
                fmt::format("topic {} of Kafka at {} has {} partitions, and a position holds at most {}: use a topic "
                            "with fewer",
                            name, state_->address, (*found)->lanes, kLanesMax));
  }
  return **found;
}

Result<> KafkaClient::create(const std::string& name, int partitions, const Settings& settings) {
  const std::string doing = "creating topic " + name;
  std::array<char, 512> reason{};
  const NewTopic topic(rd_kafka_NewTopic_new(name.c_str(), partitions, -1, reason.data(), reason.size()));
  if (!topic) return fail(ErrorKind::invalid, fmt::format("{}: {}", doing, reason.data()));
  for (const auto& [key, value] : settings) rd_kafka_NewTopic_set_config(topic.get(), key.c_str(), value.c_str());
  const AdminOptions options(rd_kafka_AdminOptions_new(handle(), RD_KAFKA_ADMIN_OP_CREATETOPICS));
  const int timeout = milliseconds_of(options_.access.timeout);
  rd_kafka_AdminOptions_set_request_timeout(options.get(), timeout, nullptr, 0);
  rd_kafka_AdminOptions_set_operation_timeout(options.get(), timeout, nullptr, 0);
  const Queue queue(rd_kafka_queue_new(handle()));
  rd_kafka_NewTopic_t* wanted = topic.get();
  rd_kafka_CreateTopics(handle(), &wanted, 1, options.get(), queue.get());
  const Event event(rd_kafka_queue_poll(queue.get(), timeout + 1000));
  if (!event) return std::unexpected(error(RD_KAFKA_RESP_ERR__TIMED_OUT, doing));
  if (const auto code = rd_kafka_event_error(event.get())) return std::unexpected(error(code, doing));
  std::size_t count = 0;
  const auto* const topics =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto code = rd_kafka_topic_result_error(topics[i]);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) continue;
    Error failed = error(code, doing);
    if (const char* text = rd_kafka_topic_result_error_string(topics[i])) failed.message += fmt::format(": {}", text);
    return std::unexpected(std::move(failed));
  }
  return {};
}

Result<KafkaClient::Settings> KafkaClient::settings(const std::string& name) {
  const std::string doing = "reading the settings of topic " + name;
  const ConfigResource resource(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name.c_str()));
  const AdminOptions options(rd_kafka_AdminOptions_new(handle(), RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS));
  const int timeout = milliseconds_of(options_.access.timeout);
  rd_kafka_AdminOptions_set_request_timeout(options.get(), timeout, nullptr, 0);
  const Queue queue(rd_kafka_queue_new(handle()));
  rd_kafka_ConfigResource_t* wanted = resource.get();
  rd_kafka_DescribeConfigs(handle(), &wanted, 1, options.get(), queue.get());
  const Event event(rd_kafka_queue_poll(queue.get(), timeout + 1000));
  if (!event) return std::unexpected(error(RD_KAFKA_RESP_ERR__TIMED_OUT, doing));
  if (const auto code = rd_kafka_event_error(event.get())) return std::unexpected(error(code, doing));
  Settings settings;
  std::size_t resources = 0;
  const auto* const found =
      rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event.get()), &resources);
  for (std::size_t i = 0; i < resources; ++i) {
    if (const auto code = rd_kafka_ConfigResource_error(found[i])) return std::unexpected(error(code, doing));
    std::size_t count = 0;
    const auto* const entries = rd_kafka_ConfigResource_configs(found[i], &count);
    for (std::size_t j = 0; j < count; ++j) {
      const char* const value = rd_kafka_ConfigEntry_value(entries[j]);
      settings[rd_kafka_ConfigEntry_name(entries[j])] = value != nullptr ? value : "";
    }
  }
  return settings;
}

// Not rd_kafka_query_watermark_offsets(): in 2.0 that one asks for one partition at a time and does not end with its
// timeout. This one sends one request to each leader, and takes the protocol's names for both ends of a partition.
Result<std::vector<std::int64_t>> KafkaClient::offsets(const std::string& name, const std::vector<std::int64_t>& what) {
  const std::string doing = "looking up offsets of topic " + name;
  const Partitions partitions(rd_kafka_topic_partition_list_new(static_cast<int>(what.size())));
  for (std::size_t lane = 0; lane < what.size(); ++lane) {
    const auto partition = static_cast<std::int32_t>(lane);
    rd_kafka_topic_partition_list_add(partitions.get(), name.c_str(), partition)->offset = what[lane];
  }
  const auto code = rd_kafka_offsets_for_times(handle(), partitions.get(), milliseconds_of(options_.access.timeout));
  serve(milliseconds{0});
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return std::unexpected(error(code, doing));
  std::vector<std::int64_t> offsets;
  for (std::size_t lane = 0; lane < what.size(); ++lane) {
    const rd_kafka_topic_partition_t& found = partitions->elems[lane];
    if (found.err != RD_KAFKA_RESP_ERR_NO_ERROR) return std::unexpected(error(found.err, doing));
    if (what[lane] < 0 && found.offset < 0) {
      return std::unexpected(error(RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, doing));
    }
    offsets.push_back(found.offset);
  }
  return offsets;
}

Result<std::string> KafkaClient::cluster() {
  char* const id = rd_kafka_clusterid(handle(), milliseconds_of(options_.access.timeout));
  if (id == nullptr) return std::unexpected(error(RD_KAFKA_RESP_ERR__TIMED_OUT, "asking for the cluster's id"));
  std::string copy(id);
  rd_kafka_mem_free(handle(), id);
  return copy;
}

}  // namespace carillon::eventlog
