#include "eventlog/kafka_broker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "eventlog/kafka_reader.hpp"
#include "eventlog/kafka_writer.hpp"

namespace carillon::eventlog {
namespace {

class KafkaBroker final : public Broker {
 public:
  explicit KafkaBroker(KafkaOptions options) : options_(std::move(options)) {}
  [[nodiscard]] std::unique_ptr<BrokerReader> make_reader() const override {
    return std::make_unique<KafkaReader>(options_);
  }
  [[nodiscard]] std::unique_ptr<BrokerWriter> make_writer() const override {
    return std::make_unique<KafkaWriter>(options_);
  }
  [[nodiscard]] char letter() const override { return 'k'; }
  [[nodiscard]] std::string name() const override {
    return fmt::format("Kafka at {}, topic {}", options_.access.url, options_.topic);
  }

 private:
  const KafkaOptions options_;
};

bool is_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == 0 || colon == std::string_view::npos || text.find('/') != std::string_view::npos) return false;
  const std::string_view port = text.substr(colon + 1);
  return !port.empty() && port.size() <= 5 && port.find_first_not_of("0123456789") == std::string_view::npos;
}

bool are_addresses(std::string_view list) {
  while (true) {
    const std::size_t comma = list.find(',');
    if (!is_address(list.substr(0, comma))) return false;
    if (comma == std::string_view::npos) return true;
    list.remove_prefix(comma + 1);
  }
}

bool is_topic(std::string_view name) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  constexpr std::size_t kSizeMax = 249 - std::string_view(".notes").size();
  return !name.empty() && name.size() <= kSizeMax && name.find_first_not_of(kLetters) == std::string_view::npos;
}

}  // namespace

Result<std::unique_ptr<Broker>> make_kafka_broker(KafkaOptions options) {
  constexpr std::array<std::string_view, 4> kMechanisms{"", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"};
  const auto invalid = [](std::string message) { return fail(ErrorKind::invalid, std::move(message)); };
  if (!are_addresses(options.access.url)) {
    return invalid(
        fmt::format("Kafka is addressed as host:port, several divided by commas, not as {}", options.access.url));
  }
  if (!is_topic(options.topic)) {
    return invalid(
        fmt::format("{} is no name of a Kafka topic: letters, digits, '.', '_' and '-', at most 243", options.topic));
  }
  if (std::ranges::find(kMechanisms, options.sasl_mechanism) == kMechanisms.end()) {
    return invalid(fmt::format("{} is no SASL mechanism known here: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512",
                               options.sasl_mechanism));
  }
  const bool has_login = !options.access.username.empty() && !options.access.password.empty();
  if (has_login == options.sasl_mechanism.empty()) {
    return invalid(
        fmt::format("Kafka at {}: a SASL mechanism goes with a username and a password", options.access.url));
  }
  if (options.access.certificate.empty() != options.access.private_key.empty()) {
    return invalid(fmt::format("Kafka at {}: a client's certificate goes with its private key", options.access.url));
  }
  return std::make_unique<KafkaBroker>(std::move(options));
}

}  // namespace carillon::eventlog
