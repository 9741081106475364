#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "eventlog/kafka_client.hpp"

struct rd_kafka_queue_s;

namespace carillon::eventlog {

// The settings of a log's topic that we create: a record of 1 MiB with its key and headers must pass.
[[nodiscard]] KafkaClient::Settings kafka_log_settings(milliseconds retention);

// Follows all partitions of a topic, each from an offset of ours: it belongs to no consumer group, commits nothing, and
// needs no right but to read the topic. The offset of a record in Kafka is Offset::high - 1.
//
// Within a lane records come in order. Across lanes they come roughly by their time while history is read, that is up
// to where each lane ended at seek(): then each lane's earliest record is waited for, within bounds. After that they
// come as they arrive.
//
// It asks about the topic by a second connection, because a broker answers the requests of one in turn, and one that
// waits for new records lets all others wait.
class KafkaReader final : public BrokerReader {
 public:
  explicit KafkaReader(const KafkaOptions& options) : options_(options) {}
  ~KafkaReader() override { close(); }
  KafkaReader(const KafkaReader&) = delete;
  KafkaReader& operator=(const KafkaReader&) = delete;

  [[nodiscard]] Result<Extent> connect() override;
  [[nodiscard]] Result<Extent> look() override;
  [[nodiscard]] Result<Place> place_at(WallTime time) override;
  [[nodiscard]] Result<> seek(const Place& after) override;
  [[nodiscard]] Result<Batch> read(milliseconds wait) override;

 private:
  struct Lane {
    std::int64_t next = 0;     // the offset after the last record staged
    std::int64_t history = 0;  // where the lane ended at seek(); 0 once that is behind us
    std::deque<BrokerRecord> staged;
    std::int64_t oldest_time = 0;  // of the records staged so far, milliseconds
    std::int64_t newest_time = 0;

    [[nodiscard]] bool is_awaited() const { return next < history && staged.empty(); }
  };
  // Something that stays true of a lane for as long as it is the same one: its first record is older than this time,
  // and a later one is not.
  struct Witness {
    std::int64_t first = 0;
    std::int64_t time = 0;  // 0: none
  };

  void close();
  void stop_following();
  [[nodiscard]] Result<> start(std::size_t lane, std::int64_t next);
  [[nodiscard]] Result<> follow_new(const std::vector<std::int64_t>& first);
  [[nodiscard]] Result<bool> is_same_log(const std::vector<std::int64_t>& first);
  [[nodiscard]] Result<> stage(milliseconds wait);
  [[nodiscard]] Result<bool> take_one(milliseconds wait);
  [[nodiscard]] Result<> classify_gap(std::size_t lane);
  void hand_over(Batch& batch);
  [[nodiscard]] std::size_t earliest() const;
  void count_awaited();

  const KafkaOptions& options_;
  std::unique_ptr<KafkaClient> asking_;
  std::unique_ptr<KafkaClient> following_;
  rd_kafka_queue_s* queue_ = nullptr;  // of following_: what all lanes have fetched
  std::vector<Lane> lanes_;            // followed
  std::vector<Witness> witnesses_;     // outlive the connection
  bool is_another_ = false;            // the topic is not the one of the first connect()
  std::size_t awaited_ = 0;            // lanes of which is_awaited()
  std::size_t staged_records_ = 0;
  std::size_t staged_bytes_ = 0;
  std::optional<GapReason> gap_;
};

}  // namespace carillon::eventlog
