#include "config/table.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <string_view>

#include "config/reference.hpp"
#include "config/toml_file.hpp"
#include "config/value.hpp"

namespace carillon::config {
namespace {

const std::filesystem::path kProject = std::filesystem::path(__FILE__).parent_path().parent_path().parent_path();

std::string read_text(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

// Operators' files, tests and tools rely on these names with these defaults. Add, but do not change or take away.
constexpr std::string_view kReliedOn = R"([server]
listen = "127.0.0.1:8443"
admin_listen = "127.0.0.1:8444"
certificate = "server.pem"
private_key = "server.key"
tls_min_version = "1.3"
allowed_origins = []
shards = 0
reuse_port = false
drain_window = "10s"

[auth]
algorithms = ["HS256"]
hmac_secret_file = ""
public_key_files = []
jwks_file = ""
jwks_url = ""
issuer = ""
audience = ""
default_grants = ["signals", "orders", "alerts"]
token_timeout = "5s"
leeway = "5s"

[heartbeat]
interval = "20s"
timeout = "10s"

[limits]
message_bytes_max = "16KiB"
queue_bytes_max = "1MiB"
queue_age_max = "10s"
connections_max = 0
connections_per_user_max = 20
connections_per_ip_max = 1000
messages_per_second_max = 20

[window]
age = "1h"
bytes = "256MiB"

[log]
kind = "journal"

[log.journal]
path = "journal.db"
retention_age = "24h"
retention_bytes = "1GiB"

[log.redis]
url = "redis://127.0.0.1:6379/0"
stream = "carillon:events"

[log.kafka]
brokers = "127.0.0.1:9092"
topic = "carillon.events"

[log.rabbitmq]
url = "amqp://127.0.0.1:5672/"
queue = "carillon.events"

[log.jetstream]
url = "nats://127.0.0.1:4222"
stream = "CARILLON"
subject = "carillon.events"

[grpc]
listen = ""

[telemetry]
log_format = "text"
log_level = "info"
)";

void expect_names_and_defaults(std::string_view toml) {
  const auto settings = read_toml(toml);
  ASSERT_TRUE(settings.has_value()) << settings.error().message;
  std::size_t keys = 0;
  for (const Setting& setting : *settings) {
    if (setting.is_section) continue;
    ++keys;
    const Row* row = find_row(setting.key);
    ASSERT_NE(row, nullptr) << setting.key;
    EXPECT_EQ(setting.value, value_from_text(row->shape, row->default_value)) << setting.key;
  }
  EXPECT_EQ(keys, 46U);
}

TEST(Table, KeysAndVariablesAreUnique) {
  std::set<std::string> names;
  for (const Row& row : table()) {
    EXPECT_TRUE(names.insert(std::string(row.key)).second) << row.key;
    EXPECT_TRUE(names.insert(environment_name(row.key)).second) << row.key;
    EXPECT_EQ(find_row(row.key), &row);
  }
  EXPECT_EQ(find_row("server"), nullptr);
  EXPECT_EQ(environment_name("log.journal.path"), "CARILLON_LOG_JOURNAL_PATH");
}

TEST(Table, EveryDefaultIsAllowedByItsOwnRow) {
  Config config;
  for (const Row& row : table())
    EXPECT_EQ(store(row, value_from_text(row.shape, row.default_value), "", config), std::nullopt) << row.key;
}

TEST(Table, KeepsTheNamesAndDefaultsThatOperatorsRelyOn) {
  expect_names_and_defaults(kReliedOn);
  // And those of the paper that all parts of the product share, where it lies beside the project.
  const std::filesystem::path shared = kProject.parent_path() / "shared" / "config.toml";
  if (std::filesystem::exists(shared)) expect_names_and_defaults(read_text(shared));
}

TEST(Reference, CommittedFileIsWhatTheTableSays) {
  const std::filesystem::path file = kProject / "docs" / "configuration.md";
  if (std::getenv("UPDATE_REFERENCE") != nullptr) std::ofstream(file, std::ios::binary) << reference_markdown();
  EXPECT_EQ(read_text(file), reference_markdown()) << "run this test with UPDATE_REFERENCE=1 to write " << file;
}

}  // namespace
}  // namespace carillon::config
