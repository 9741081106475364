#include "config/config.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/grpc_publisher.hpp"

namespace carillon::config {
namespace {

namespace fs = std::filesystem;

// A folder with the files that a configuration names, and carillon.toml in it.
class ConfigTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string made = (fs::temp_directory_path() / "carillon-config-XXXXXX").string();
    ASSERT_NE(::mkdtemp(made.data()), nullptr);
    folder_ = made;
    for (const char* name : {"server.pem", "server.key", "hmac.secret"}) write(name, "x");
  }
  void TearDown() override { fs::remove_all(folder_); }

  void write(const std::string& name, std::string_view text, fs::perms mode = fs::perms(0600)) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    fs::permissions(folder_ / name, mode);
  }

  [[nodiscard]] auto load_text(std::string_view text, const Environment& environment = {}) const {
    write("carillon.toml", text);
    return load(folder_ / "carillon.toml", environment);
  }

  // With the one key that has no usable default.
  [[nodiscard]] auto load_valid(std::string_view text, Environment environment = {}) const {
    environment.emplace("CARILLON_AUTH_HMAC_SECRET_FILE", "hmac.secret");
    return load_text(text, environment);
  }

  // Each fault as "line key: message".
  [[nodiscard]] std::vector<std::string> faults_of(std::string_view text, Environment environment = {}) const {
    std::vector<std::string> said;
    const auto loaded = load_valid(text, std::move(environment));
    if (loaded) return said;
    for (const ConfigFault& fault : loaded.error())
      said.push_back(std::to_string(fault.line) + ' ' + fault.key + ": " + fault.message);
    return said;
  }

  fs::path folder_;
};

using Faults = std::vector<std::string>;

TEST_F(ConfigTest, EmptyFileIsAllDefaults) {
  const auto config = load_valid("");
  ASSERT_TRUE(config.has_value()) << config.error().front().to_string();
  EXPECT_EQ(config->server.listen.text(), "127.0.0.1:8443");
  EXPECT_EQ(config->server.admin_listen.text(), "127.0.0.1:8444");
  EXPECT_EQ(config->server.certificate, folder_ / "server.pem");
  EXPECT_EQ(config->server.tls_min_version, TlsVersion::v1_3);
  EXPECT_TRUE(config->server.allow_missing_origin);
  EXPECT_EQ(config->server.drain_window, std::chrono::seconds{10});
  EXPECT_EQ(config->auth.tokens.algorithms, std::vector{auth::Algorithm::hs256});
  EXPECT_EQ(config->auth.tokens.hmac_secret_file, folder_ / "hmac.secret");
  EXPECT_TRUE(config->auth.tokens.public_key_files.empty());
  EXPECT_TRUE(config->auth.tokens.jwks_file.empty());
  EXPECT_TRUE(config->auth.tokens.default_grants.has(Grant::orders));
  EXPECT_FALSE(config->auth.tokens.default_grants.has(Grant::publish));
  EXPECT_EQ(config->auth.tokens.user_claim, "sub");
  EXPECT_EQ(config->heartbeat.interval, std::chrono::seconds{20});
  EXPECT_EQ(config->limits.queue_bytes_max, 1024U * 1024);
  EXPECT_EQ(config->limits.connections_per_ip_max, 1000U);
  EXPECT_EQ(config->window.age, std::chrono::hours{1});
  EXPECT_EQ(config->log.kind, LogKind::journal);
  EXPECT_EQ(config->log.journal.path, folder_ / "journal.db");
  EXPECT_EQ(config->log.journal.retention_bytes, 1024ULL * 1024 * 1024);
  EXPECT_EQ(config->telemetry.log_level, telemetry::Level::info);
  EXPECT_TRUE(config->warnings.empty());
}

TEST_F(ConfigTest, FileOverridesDefaultsAndEnvironmentOverridesFile) {
  const auto config = load_valid(R"(
    [server]
    listen = "[::]:443"
    shards = 4
    allowed_origins = ["https://a.example", "https://b.example"]
    trusted_proxies = ["10.0.0.0/8"]
    [auth]
    algorithms = ["HS512"]
    default_grants = []
    [log.journal]
    path = "/var/lib/carillon/../journal.db"
    retention_age = "48h"
    [telemetry]
    log_format = "json"
  )",
                                 {{"CARILLON_SERVER_SHARDS", "2"},
                                  {"CARILLON_SERVER_ALLOWED_ORIGINS", "https://c.example, https://d.example"},
                                  {"CARILLON_SERVER_REUSE_PORT", "true"},
                                  {"CARILLON_SERVER_TRUSTED_PROXIES", ""},
                                  {"CARILLON_LOG_JOURNAL_RETENTION_AGE", "90m"},
                                  {"CARILLON_TELEMETRY_LOG_LEVEL", "debug"},
                                  {"PATH", "/bin"}});
  ASSERT_TRUE(config.has_value()) << config.error().front().to_string();
  EXPECT_EQ(config->server.listen.text(), "[::]:443");
  EXPECT_EQ(config->server.shards, 2U);
  EXPECT_EQ(config->server.allowed_origins, (std::vector<std::string>{"https://c.example", "https://d.example"}));
  EXPECT_TRUE(config->server.reuse_port);
  EXPECT_TRUE(config->server.trusted_proxies.empty());
  EXPECT_EQ(config->auth.tokens.algorithms, std::vector{auth::Algorithm::hs512});
  EXPECT_TRUE(config->auth.tokens.default_grants.empty());
  EXPECT_EQ(config->log.journal.path, "/var/lib/journal.db");
  EXPECT_EQ(config->log.journal.retention_age, std::chrono::minutes{90});
  EXPECT_EQ(config->telemetry.log_format, telemetry::LogFormat::json);
  EXPECT_EQ(config->telemetry.log_level, telemetry::Level::debug);
}

TEST_F(ConfigTest, UnknownNamesAreRefusedWithTheNearestOne) {
  EXPECT_EQ(
      faults_of("[server]\nlistn = 1\nlisten = \"127.0.0.1:1\"\n[limit]\nqueue_age = 3\n[server.tls]\n"
                "[colours]\nx = 1\n"),
      (Faults{"2 server.listn: unknown key; did you mean server.listen?",
              "4 limit: unknown section; did you mean limits?", "6 server.tls: unknown section; did you mean server?",
              "7 colours: unknown section; allowed: those of docs/configuration.md"}));
}

TEST_F(ConfigTest, WrongTypesAreRefusedWithWhatIsAllowed) {
  EXPECT_EQ(
      faults_of("[server]\nshards = \"4\"\nreuse_port = 1\nlisten = 8443\nallowed_origins = \"https://a.example\"\n"
                "drain_window = 10\ncertificate = [\"server.pem\"]\ntls_min_version = 1.3\n[auth]\n"
                "algorithms = [1]\n[limits]\nqueue_bytes_max = 1048576\n[heartbeat.interval]\n"),
      (Faults{
          "2 server.shards: cannot be \"4\"; allowed: a whole number from 0 to 256",
          "3 server.reuse_port: cannot be 1; allowed: true or false",
          "4 server.listen: cannot be 8443; allowed: an IP address and port such as \"127.0.0.1:8443\" or "
          "\"[::]:8443\"",
          "5 server.allowed_origins: cannot be \"https://a.example\"; allowed: a list of origins such as "
          "\"https://trade.example.com\"",
          "6 server.drain_window: cannot be 10; allowed: a duration from 0 to 10m, such as \"10s\"",
          "7 server.certificate: cannot be [\"server.pem\"]; allowed: a file",
          "8 server.tls_min_version: cannot be of this type; allowed: \"1.2\", \"1.3\"",
          "10 auth.algorithms: cannot be of this type; allowed: a list, not empty, of \"HS256\", \"HS384\", \"HS512\", "
          "\"RS256\", \"RS384\", \"RS512\", \"PS256\", \"PS384\", \"PS512\", \"ES256\", \"ES384\", \"EdDSA\"",
          "12 limits.queue_bytes_max: cannot be 1048576; allowed: a size from 16KiB to 1GiB, such as \"1MiB\"",
          "13 heartbeat.interval: cannot be of this type; allowed: a duration from 100ms to 10m, such as \"20s\"",
      }));
  EXPECT_EQ(faults_of("server = 3"), (Faults{"1 server: is a section, not a key; write [server] and its keys below"}));
}

TEST_F(ConfigTest, ValuesOutOfRangeAreRefused) {
  for (const char* line : {
           "server.shards = 257",
           "server.shards = -1",
           "server.drain_window = \"11m\"",
           "server.drain_window = \"fast\"",
           "server.listen = \"example.com:8443\"",
           "server.listen = \"127.0.0.1\"",
           "server.listen = \"127.0.0.1:65536\"",
           "server.listen = \"::1:8443\"",
           "server.certificate = \"\"",
           "server.tls_min_version = \"1.1\"",
           "server.allowed_origins = [\"https://a.example/\"]",
           "server.trusted_proxies = [\"10.0.0.0/33\"]",
           "auth.algorithms = []",
           "auth.algorithms = [\"none\"]",
           "auth.algorithms = [\"hs256\"]",
           "auth.default_grants = [\"admin\"]",
           "auth.user_claim = \"\"",
           "auth.issuer = \"a\\nb\"",
           "auth.public_key_files = [\"\"]",
           "limits.queue_bytes_max = \"1KiB\"",
           "limits.connections_per_user_max = 0",
           "log.journal.path = \"\"",
           "log.kind = \"files\"",
           "telemetry.log_level = \"INFO\"",
       }) {
    const Faults faults = faults_of(line);
    ASSERT_EQ(faults.size(), 1U) << line;
    EXPECT_TRUE(faults.front().starts_with("1 ")) << faults.front();
    EXPECT_NE(faults.front().find("; allowed: "), std::string::npos) << faults.front();
  }
}

TEST_F(ConfigTest, ItemAtFaultIsNamed) {
  EXPECT_TRUE(faults_of("auth.algorithms = [\"HS256\", \"ES512\"]")
                  .front()
                  .starts_with("1 auth.algorithms: cannot be \"ES512\"; allowed: "));
}

TEST_F(ConfigTest, WhatThisBuildLacksIsRefusedAndItsDefaultIsNot) {
  EXPECT_EQ(faults_of("auth.jwks_url = \"https://id.example/keys\""),
            (Faults{"1 auth.jwks_url: cannot be \"https://id.example/keys\" yet: this build reads key sets from "
                    "auth.jwks_file; allowed: \"\""}));
  EXPECT_TRUE(load_valid("log.kind = \"journal\"\nauth.jwks_url = \"\"\ngrpc.listen = \"\"\n"
                         "log.redis.url = \"rediss://cache:6379/0\"")
                  .has_value());
}

TEST_F(ConfigTest, GrpcListensWhereTheBuildHasIt) {
  if (!ingest::GrpcPublisher::kIsBuilt) {
    EXPECT_EQ(faults_of("grpc.listen = \"[::]:9000\""),
              (Faults{"1 grpc.listen: this build has no gRPC; leave it empty, or build with -DCARILLON_GRPC=ON"}));
    return;
  }
  EXPECT_TRUE(load_valid("grpc.listen = \"[::]:9000\"").has_value());
  EXPECT_EQ(faults_of("grpc.listen = \"here\""),
            (Faults{"1 grpc.listen: must be empty or an IP address and port such as \"127.0.0.1:9443\""}));
  EXPECT_EQ(faults_of("server.listen = \"127.0.0.1:9000\"\ngrpc.listen = \"127.0.0.1:9000\""),
            (Faults{"2 grpc.listen: cannot be the same as server.listen or server.admin_listen"}));
}

TEST_F(ConfigTest, BrokerIsChosenWithWhatItNeeds) {
  const auto redis = load_valid("log.kind = \"redis\"\nlog.redis.url = \"redis://cache:6379/0\"");
  ASSERT_TRUE(redis);
  EXPECT_EQ(redis->log.kind, LogKind::redis);
  EXPECT_EQ(redis->log.history, std::chrono::hours{24});
  EXPECT_EQ(faults_of("log.kind = \"kafka\"\nlog.kafka.sasl_mechanism = \"PLAIN\""),
            (Faults{"2 log.kafka.sasl_mechanism: needs log.kafka.username and log.password_file"}));
  const auto hasty = load_valid("log.kind = \"kafka\"\nlog.history = \"90m\"");
  ASSERT_TRUE(hasty);
  ASSERT_EQ(hasty->warnings.size(), 1U);
  EXPECT_EQ(hasty->warnings.front().key, "log.history");
}

TEST_F(ConfigTest, EnvironmentIsHeldToTheSameRules) {
  const auto loaded = load_valid("", {{"CARILLON_SERVER_LISTEM", "127.0.0.1:1"},
                                      {"CARILLON_SERVER_SHARDS", "many"},
                                      {"CARILLON_SERVICE_HOST", "10.0.0.1"},
                                      {"CARILLON_PORT_8443_TCP", "tcp://10.0.0.1:8443"},
                                      {"CARILLON_BINARY", "build/release/carillon"}});
  ASSERT_FALSE(loaded.has_value());
  ASSERT_EQ(loaded.error().size(), 2U);
  EXPECT_EQ(loaded.error()[0].to_string(),
            "environment CARILLON_SERVER_LISTEM: unknown variable; did you mean CARILLON_SERVER_LISTEN?");
  EXPECT_EQ(loaded.error()[1].to_string(),
            "environment CARILLON_SERVER_SHARDS: server.shards: cannot be \"many\"; allowed: a whole number from 0 to "
            "256");
}

TEST_F(ConfigTest, SyntaxErrorsAndDuplicatesNameTheLine) {
  EXPECT_TRUE(faults_of("[server]\nshards = = 3").front().starts_with("2 : "));
  EXPECT_TRUE(faults_of("[server]\nshards = 3\nshards = 4").front().starts_with("3 : "));
  EXPECT_TRUE(faults_of("[server]\n[auth]\n[server]\n").front().starts_with("3 : "));
  EXPECT_TRUE(faults_of("x = \"\xff\"").front().starts_with("1 : "));
}

TEST_F(ConfigTest, FileThatCannotBeReadIsNamed) {
  const auto missing = load(folder_ / "absent.toml", {});
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().front().to_string(),
            (folder_ / "absent.toml").string() + ": cannot read it: No such file or directory");
  const auto folder = load(folder_, {});
  ASSERT_FALSE(folder.has_value());
  EXPECT_EQ(folder.error().front().to_string(), folder_.string() + ": cannot read it: Is a directory");
  EXPECT_EQ(faults_of(std::string(1024 * 1024 + 1, '#')).front(), "0 : is larger than 1MiB");
}

TEST_F(ConfigTest, FilesItNamesMustBeReadable) {
  fs::remove(folder_ / "server.pem");
  fs::create_directory(folder_ / "keys");
  EXPECT_EQ(
      faults_of("[auth]\njwks_file = \"keys\"\npublic_key_files = [\"none.pem\"]\n[log.journal]\npath = \"none/j.db\""),
      (Faults{"0 server.certificate: cannot read " + (folder_ / "server.pem").string() + ": No such file or directory",
              "2 auth.jwks_file: " + (folder_ / "keys").string() + " is not a file",
              "3 auth.public_key_files: cannot read " + (folder_ / "none.pem").string() + ": No such file or directory",
              "5 log.journal.path: there is no folder " + (folder_ / "none").string()}));
}

TEST_F(ConfigTest, AlgorithmsNeedTheirKeys) {
  const auto keys_at_fault = [](const auto& loaded) {
    Faults keys;
    if (!loaded)
      for (const ConfigFault& fault : loaded.error()) keys.push_back(fault.key);
    return keys;
  };
  EXPECT_EQ(keys_at_fault(load_text("auth.algorithms = [\"HS256\", \"ES256\"]")),
            (Faults{"auth.hmac_secret_file", "auth.public_key_files"}));
  EXPECT_EQ(keys_at_fault(load_text("auth.algorithms = [\"HS256\"]\nauth.hmac_secret_file = \"hmac.secret\"")),
            Faults{});
  write("es256.pem", "x");
  EXPECT_EQ(keys_at_fault(load_text("auth.algorithms = [\"ES256\"]\nauth.public_key_files = [\"es256.pem\"]")),
            Faults{});
  write("jwks.json", "{}");
  EXPECT_EQ(keys_at_fault(load_text("auth.algorithms = [\"HS256\", \"EdDSA\"]\nauth.jwks_file = \"jwks.json\"")),
            Faults{});
}

TEST_F(ConfigTest, ListenersMustDiffer) {
  EXPECT_EQ(faults_of("[server]\nlisten = \"127.0.0.1:9000\"\nadmin_listen = \"localhost:9000\""),
            (Faults{"3 server.admin_listen: cannot be the same as server.listen"}));
  EXPECT_TRUE(load_valid("[server]\nlisten = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"").has_value());
}

TEST_F(ConfigTest, TheKernelMustHaveTheCongestionControl) {
  EXPECT_TRUE(load_valid("server.congestion_control = \"reno\"").has_value());
  const auto faults = faults_of("[server]\ncongestion_control = \"no-such\"");
  ASSERT_EQ(faults.size(), 1U);
  EXPECT_TRUE(faults[0].starts_with("2 server.congestion_control: cannot be \"no-such\" (")) << faults[0];
  EXPECT_NE(faults[0].find("available: "), std::string::npos) << faults[0];
  EXPECT_NE(faults[0].find("reno"), std::string::npos) << faults[0];
}

TEST_F(ConfigTest, WarnsOfWhatIsUnwise) {
  write("server.key", "x", fs::perms(0640));
  const auto config = load_valid("server.admin_listen = \"0.0.0.0:8444\"");
  ASSERT_TRUE(config.has_value());
  ASSERT_EQ(config->warnings.size(), 2U);
  const std::string key = (folder_ / "server.key").string();
  EXPECT_EQ(config->warnings[0].to_string(), (folder_ / "carillon.toml").string() + ": server.private_key: " + key +
                                                 " may be read by others (mode 640); better: chmod 600 " + key);
  EXPECT_EQ(config->warnings[1].line, 1U);
  EXPECT_EQ(config->warnings[1].key, "server.admin_listen");
}

TEST(Environment, HoldsOnlyOurVariables) {
  ASSERT_EQ(::setenv("CARILLON_SERVER_SHARDS", "3=3", 1), 0);
  const Environment environment = environment_of_process();
  ASSERT_EQ(::unsetenv("CARILLON_SERVER_SHARDS"), 0);
  EXPECT_EQ(environment.at("CARILLON_SERVER_SHARDS"), "3=3");
  EXPECT_FALSE(environment.contains("PATH"));
}

}  // namespace
}  // namespace carillon::config
