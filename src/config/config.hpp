#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "auth/options.hpp"
#include "net/address.hpp"
#include "telemetry/log.hpp"

namespace carillon::config {

// One thing that is wrong with a configuration, or unwise.
struct ConfigFault {
  std::string file;        // or "environment CARILLON_SERVER_LISTEN"
  std::uint32_t line = 0;  // 0: of the whole file
  std::string key;         // "server.listen"; empty: not about a key
  std::string message;     // what is wrong and what is allowed

  // "carillon.toml:7: server.listen: what is wrong; allowed: ..."
  [[nodiscard]] std::string to_string() const;
};

enum class TlsVersion : std::uint8_t { v1_2, v1_3 };
enum class LogKind : std::uint8_t { journal, redis, kafka, rabbitmq, jetstream };
inline constexpr std::array<std::string_view, 5> kLogKinds = {"journal", "redis", "kafka", "rabbitmq", "jetstream"};
enum class SaslMechanism : std::uint8_t { none, plain, scram_sha_256, scram_sha_512 };

// What an operator chose, checked. Paths are absolute or relative to the working directory, sizes are bytes.
// Names, ranges, defaults and meanings: table.cpp, printed as docs/configuration.md.
struct Config {
  struct Server {
    net::Endpoint listen;
    net::Endpoint admin_listen;
    std::filesystem::path certificate;
    std::filesystem::path private_key;
    TlsVersion tls_min_version{};
    std::vector<std::string> allowed_origins;  // empty: any
    bool allow_missing_origin = false;
    std::vector<net::Network> trusted_proxies;
    std::uint32_t shards = 0;  // 0: one per core
    bool reuse_port = false;
    std::string congestion_control;  // empty: as the system has it
    std::chrono::milliseconds drain_window{};
    std::chrono::milliseconds handshake_timeout{};
  } server;

  struct Auth {
    carillon::auth::Options tokens;
    std::string jwks_url;
    std::chrono::milliseconds token_timeout{};
  } auth;

  struct Heartbeat {
    std::chrono::milliseconds interval{};
    std::chrono::milliseconds timeout{};
  } heartbeat;

  struct Limits {
    std::uint64_t message_bytes_max = 0;
    std::uint64_t header_bytes_max = 0;
    std::uint64_t queue_bytes_max = 0;
    std::chrono::milliseconds queue_age_max{};
    std::uint32_t connections_max = 0;  // 0: what the descriptors allow
    std::uint32_t connections_per_user_max = 0;
    std::uint32_t connections_per_ip_max = 0;
    std::uint32_t messages_per_second_max = 0;
  } limits;

  struct Window {
    std::chrono::milliseconds age{};
    std::uint64_t bytes = 0;
  } window;

  struct Log {
    LogKind kind{};
    std::chrono::milliseconds history{};
    std::chrono::milliseconds retention{};
    bool create = false;
    std::filesystem::path password_file;  // empty: no password
    struct Tls {
      std::filesystem::path ca_file;  // empty: the system's authorities
      std::filesystem::path certificate;
      std::filesystem::path private_key;
    } tls;
    struct Journal {
      std::filesystem::path path;
      std::chrono::milliseconds retention_age{};
      std::uint64_t retention_bytes = 0;
    } journal;
    struct Redis {
      std::string url;
      std::string stream;
    } redis;
    struct Kafka {
      std::string brokers;
      std::string topic;
      bool tls = false;
      SaslMechanism sasl_mechanism{};
      std::string username;
    } kafka;
    struct Rabbitmq {
      std::string url;
      std::string queue;
    } rabbitmq;
    struct Jetstream {
      std::string url;
      std::string stream;
      std::string subject;
      std::filesystem::path credentials_file;
    } jetstream;
  } log;

  struct Grpc {
    std::string listen;       // an endpoint; empty: off
    bool reflection = false;  // for development; no key sets it
  } grpc;

  struct Console {
    bool enabled = false;
    std::filesystem::path directory;  // empty: `console` beside the binary
  } console;

  struct Telemetry {
    carillon::telemetry::LogFormat log_format{};
    carillon::telemetry::Level log_level{};
  } telemetry;

  // What is allowed but unwise, to be logged at start.
  std::vector<ConfigFault> warnings;
};

// Environment variables by name; only those that begin with CARILLON_ matter.
using Environment = std::map<std::string, std::string>;
[[nodiscard]] Environment environment_of_process();

// Defaults, then the TOML file, then the environment; everything checked, the files it names included (that they can
// be read; what is in them is for those who read them). All faults are reported, not only the first, in the order of
// the lines.
[[nodiscard]] std::expected<Config, std::vector<ConfigFault>> load(const std::filesystem::path& file,
                                                                   const Environment& environment);

}  // namespace carillon::config
