#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "eventlog/kafka_broker.hpp"

struct rd_kafka_s;
struct rd_kafka_topic_s;
struct rd_kafka_message_s;

namespace carillon::eventlog {

// One librdkafka client: a connection to a cluster, its errors as ours, and the questions that readers and writers have
// in common. One thread; every wait is bounded by BrokerAccess::timeout.
//
// librdkafka connects by itself, for ever and in silence. What it says about why it cannot comes by a callback, which
// runs inside serve() and the calls below; so a wrong password ends a wait at once and not with the timeout.
class KafkaClient {
 public:
  enum class Role : std::uint8_t { reader, writer };
  using OnDelivery = std::function<void(const rd_kafka_message_s&)>;

  // `invalid` when librdkafka refuses the configuration, as a file of certificates that is none. `options` outlives it.
  [[nodiscard]] static Result<std::unique_ptr<KafkaClient>> make(const KafkaOptions& options, Role role);
  // What is on its way is forgotten. Returns within a second; what librdkafka needs longer for ends in the background.
  ~KafkaClient();
  KafkaClient(const KafkaClient&) = delete;
  KafkaClient& operator=(const KafkaClient&) = delete;

  [[nodiscard]] rd_kafka_s* handle() const;
  // Lives as long as the client.
  [[nodiscard]] rd_kafka_topic_s* topic(const std::string& name);
  // Runs the callbacks that are due, waiting up to `wait` for the first.
  void serve(milliseconds wait);
  // Of a writer, from serve().
  void on_delivery(OnDelivery callback);
  // Why no broker lets us in: what waiting does not help against.
  [[nodiscard]] const std::optional<Error>& refusal() const;
  // Whether all connections were lost since the last call.
  [[nodiscard]] bool take_lost();

  struct Topic {
    std::size_t lanes = 0;
    std::size_t replicas_min = 0;
  };
  // Waits until each partition has a leader. Nothing: there is no such topic.
  [[nodiscard]] Result<std::optional<Topic>> describe(const std::string& topic);
  // As describe(), but creates it where it may, else `not_found`; `invalid` with more than kLanesMax partitions.
  // partitions -1: as many as the broker makes by default.
  using Settings = std::map<std::string, std::string>;
  [[nodiscard]] Result<Topic> open(const std::string& topic, int partitions, const Settings& settings);
  [[nodiscard]] Result<Settings> settings(const std::string& topic);

  static constexpr std::int64_t kFirst = -2;  // the first offset that is there
  static constexpr std::int64_t kNext = -1;   // the offset after the last that may be read
  // Of each partition one of these, or that of the first record at this time (milliseconds) or later; -1: there is
  // none.
  [[nodiscard]] Result<std::vector<std::int64_t>> offsets(const std::string& topic,
                                                          const std::vector<std::int64_t>& what);
  [[nodiscard]] Result<std::string> cluster();

  // `code` is a rd_kafka_resp_err_t.
  [[nodiscard]] Error error(int code, std::string_view doing) const;

 private:
  struct State;
  explicit KafkaClient(const KafkaOptions& options);

  [[nodiscard]] Result<> create(const std::string& topic, int partitions, const Settings& settings);

  const KafkaOptions& options_;
  std::shared_ptr<State> state_;
};

}  // namespace carillon::eventlog
