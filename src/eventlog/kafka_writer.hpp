#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "eventlog/kafka_client.hpp"

namespace carillon::eventlog {

// Appends to a topic with the acknowledgement of all replicas in sync, each record once and in order as far as Kafka
// can (an idempotent producer), to the partition that its key chooses: by the hash of the Java client, so that
// producers in other languages agree. The id goes into the header `id`.
class KafkaWriter final : public BrokerWriter {
 public:
  explicit KafkaWriter(const KafkaOptions& options) : options_(options), notes_(options.topic + ".notes") {}

  [[nodiscard]] Result<> connect() override;
  [[nodiscard]] std::vector<std::string> warnings() override;
  [[nodiscard]] Result<std::vector<Stood>> append(std::span<const Record> records) override;
  [[nodiscard]] Result<> append_note(std::string_view note) override;
  [[nodiscard]] Result<std::vector<std::string>> read_notes() override;
  [[nodiscard]] Result<Place> end() override;

 private:
  // What became of the records of one call.
  struct Delivery {
    std::vector<Stood> stood;
    std::size_t waiting = 0;
    std::optional<Error> error;
  };

  [[nodiscard]] Result<> check_sizes(std::span<const Record> records) const;
  [[nodiscard]] Result<> send(const std::string& topic, const Record& record, std::size_t index, Delivery& delivery);
  [[nodiscard]] Result<> finish(Delivery& delivery);
  void take(const rd_kafka_message_s& message, Delivery& delivery) const;
  [[nodiscard]] Error too_large(std::size_t bytes) const;

  const KafkaOptions& options_;
  const std::string notes_;
  std::unique_ptr<KafkaClient> client_;
  KafkaClient::Topic topic_;
  std::optional<KafkaClient::Settings> settings_;  // of the topic; nothing: we may not read them
  std::string settings_trouble_;
  std::size_t batch_bytes_max_ = SIZE_MAX;  // that the topic takes
};

}  // namespace carillon::eventlog
