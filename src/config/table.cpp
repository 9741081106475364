#include "config/table.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <type_traits>

namespace carillon::config {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::uint64_t kKiB = 1024;
constexpr std::uint64_t kMiB = 1024 * kKiB;
constexpr std::uint64_t kGiB = 1024 * kMiB;
constexpr std::uint64_t kTiB = 1024 * kGiB;

// The member of Config at the end of a path of members.
template <auto... path>
auto& at(Config& config) {
  return (config.*....*path);
}

// For enumerations whose values are the indices of their words.
template <auto... path>
void choose(Config& config, std::size_t index) {
  auto& member = at<path...>(config);
  member = static_cast<std::remove_reference_t<decltype(member)>>(index);
}

std::vector<std::string_view> algorithm_words() {
  std::vector<std::string_view> words;
  words.reserve(auth::kAlgorithms.size());
  for (const auth::Algorithm algorithm : auth::kAlgorithms) words.push_back(auth::to_string(algorithm));
  return words;
}

void set_algorithms(Config& config, const std::vector<std::size_t>& indices) {
  config.auth.tokens.algorithms.clear();
  for (const std::size_t i : indices) config.auth.tokens.algorithms.push_back(auth::kAlgorithms.at(i));
}

void set_default_grants(Config& config, const std::vector<std::size_t>& indices) {
  constexpr std::array kGrants = {Grant::signals, Grant::orders, Grant::alerts};
  config.auth.tokens.default_grants = {};
  for (const std::size_t i : indices) config.auth.tokens.default_grants.add(kGrants.at(i));
}

using Server = Config::Server;
using Auth = Config::Auth;
using Tokens = auth::Options;
using Heartbeat = Config::Heartbeat;
using Limits = Config::Limits;
using Window = Config::Window;
using Log = Config::Log;
using Telemetry = Config::Telemetry;

std::vector<Row> make_table() {
  return {
      {"server.listen", "127.0.0.1:8443", Listen{at<&Config::server, &Server::listen>},
       "Where clients and publishers connect: WSS and REST, TLS only."},
      {"server.admin_listen", "127.0.0.1:8444", Listen{at<&Config::server, &Server::admin_listen>},
       "Where health and metrics are served, in clear text: keep it on a loopback address."},
      {"server.certificate", "server.pem", File{at<&Config::server, &Server::certificate>, FileUse::required},
       "The server's certificate and its chain, PEM, leaf first."},
      {"server.private_key", "server.key", File{at<&Config::server, &Server::private_key>, FileUse::required},
       "The certificate's private key, PEM, not encrypted.", Secrecy::secret},
      {"server.tls_min_version", "1.3", Word{choose<&Config::server, &Server::tls_min_version>, {"1.2", "1.3"}},
       "The oldest TLS version accepted; 1.2 is offered with AEAD suites only."},
      {"server.allowed_origins", "", Origins{at<&Config::server, &Server::allowed_origins>},
       "The web origins whose pages may connect, compared byte by byte. Empty: any."},
      {"server.allow_missing_origin", "true", Switch{at<&Config::server, &Server::allow_missing_origin>},
       "Whether a request without Origin, which no browser sends, is allowed when `allowed_origins` is set."},
      {"server.trusted_proxies", "", Networks{at<&Config::server, &Server::trusted_proxies>},
       "The proxies whose X-Forwarded-For is believed. From any other peer it is ignored."},
      {"server.shards", "0", Count{at<&Config::server, &Server::shards>, 0, 256},
       "Event loops, each on a thread of its own. 0: one per core."},
      {"server.reuse_port", "false", Switch{at<&Config::server, &Server::reuse_port>},
       "Whether another process may listen on the same port (SO_REUSEPORT)."},
      {"server.congestion_control", "", Text{at<&Config::server, &Server::congestion_control>, 0},
       "The TCP congestion control of clients' connections, by its name in the kernel. Empty: as the system has it."},
      {"server.drain_window", "10s", Duration{at<&Config::server, &Server::drain_window>, milliseconds{0}, minutes{10}},
       "The time over which a stopping server spreads the return of its clients."},
      {"server.handshake_timeout", "5s",
       Duration{at<&Config::server, &Server::handshake_timeout>, milliseconds{100}, minutes{1}},
       "How long a peer may take for the TLS handshake and for the head of its request."},

      {"auth.algorithms", "HS256", Words{set_algorithms, algorithm_words(), 1},
       "The signature algorithms accepted, and no others."},
      {"auth.hmac_secret_file", "",
       File{at<&Config::auth, &Auth::tokens, &Tokens::hmac_secret_file>, FileUse::optional},
       "The secret of HS256, HS384 and HS512: the bytes of the file, at least 32, without one newline at its end.",
       Secrecy::secret},
      {"auth.public_key_files", "", Files{at<&Config::auth, &Auth::tokens, &Tokens::public_key_files>},
       "Public keys, PEM, for the RS, PS and ES algorithms and EdDSA."},
      {"auth.jwks_file", "", File{at<&Config::auth, &Auth::tokens, &Tokens::jwks_file>, FileUse::optional},
       "A JSON Web Key Set (RFC 7517)."},
      {"auth.jwks_url", "", Text{at<&Config::auth, &Auth::jwks_url>, 0}, "Where to fetch a key set, https only.",
       Secrecy::open, "this build reads key sets from auth.jwks_file"},
      {"auth.issuer", "", Text{at<&Config::auth, &Auth::tokens, &Tokens::issuer>, 0},
       "What the claim `iss` must be, byte by byte. Empty: not checked."},
      {"auth.audience", "", Text{at<&Config::auth, &Auth::tokens, &Tokens::audience>, 0},
       "What the claim `aud` must be or hold. Empty: not checked."},
      {"auth.default_grants", "signals,orders,alerts", Words{set_default_grants, {"signals", "orders", "alerts"}, 0},
       "What a token without the scope claim is granted."},
      {"auth.user_claim", "sub", Text{at<&Config::auth, &Auth::tokens, &Tokens::user_claim>, 1},
       "The claim that names the user."},
      {"auth.scope_claim", "scope", Text{at<&Config::auth, &Auth::tokens, &Tokens::scope_claim>, 1},
       "The claim that holds the grants, separated by spaces."},
      {"auth.token_timeout", "5s", Duration{at<&Config::auth, &Auth::token_timeout>, milliseconds{100}, minutes{1}},
       "How long a connection without a token may take to send one."},
      {"auth.leeway", "5s", Duration{at<&Config::auth, &Auth::tokens, &Tokens::leeway>, milliseconds{0}, minutes{5}},
       "How far the clocks of issuer and server may differ."},

      {"heartbeat.interval", "20s",
       Duration{at<&Config::heartbeat, &Heartbeat::interval>, milliseconds{100}, minutes{10}},
       "How often each client gets a heartbeat."},
      {"heartbeat.timeout", "10s",
       Duration{at<&Config::heartbeat, &Heartbeat::timeout>, milliseconds{100}, minutes{10}},
       "A peer that sent nothing for interval and timeout together is closed."},

      {"limits.message_bytes_max", "16KiB", Size{at<&Config::limits, &Limits::message_bytes_max>, kKiB, 64 * kKiB},
       "The longest message of a client."},
      {"limits.header_bytes_max", "16KiB", Size{at<&Config::limits, &Limits::header_bytes_max>, kKiB, 64 * kKiB},
       "The longest head of an HTTP request."},
      {"limits.queue_bytes_max", "1MiB", Size{at<&Config::limits, &Limits::queue_bytes_max>, 16 * kKiB, kGiB},
       "What may wait for one client before it is closed as too slow, to resume."},
      {"limits.queue_age_max", "10s",
       Duration{at<&Config::limits, &Limits::queue_age_max>, milliseconds{100}, minutes{10}}, "How long it may wait."},
      {"limits.connections_max", "0", Count{at<&Config::limits, &Limits::connections_max>, 0, 10'000'000},
       "Connections in all. 0: what the descriptors of the process allow."},
      {"limits.connections_per_user_max", "20",
       Count{at<&Config::limits, &Limits::connections_per_user_max>, 1, 10'000'000}, "Sessions of one user."},
      {"limits.connections_per_ip_max", "1000",
       Count{at<&Config::limits, &Limits::connections_per_ip_max>, 1, 10'000'000},
       "Connections of one IPv4 address or IPv6 /64 network."},
      {"limits.messages_per_second_max", "20", Count{at<&Config::limits, &Limits::messages_per_second_max>, 1, 100'000},
       "Messages from one client; 50 may come at once."},

      {"window.age", "1h", Duration{at<&Config::window, &Window::age>, milliseconds{0}, hours{24 * 7}},
       "How far back clients resume from memory."},
      {"window.bytes", "256MiB", Size{at<&Config::window, &Window::bytes>, kMiB, kTiB},
       "The memory that takes at most."},

      {"log.kind", "journal", Word{choose<&Config::log, &Log::kind>, {kLogKinds.begin(), kLogKinds.end()}},
       "The log that every event goes through: the embedded journal for one node, or a broker for any number of them."},
      {"log.history", "24h", Duration{at<&Config::log, &Log::history>, minutes{1}, hours{24 * 3650}},
       "How much of a broker's log a node reads at its start: orders and event ids from before that are unknown to it. "
       "The journal is read as a whole."},
      {"log.retention", "168h", Duration{at<&Config::log, &Log::retention>, hours{1}, hours{24 * 3650}},
       "How long a broker's log that is made here keeps events. One that is there keeps its own settings, but for a "
       "Redis "
       "stream, which has none: nodes that append to it trim what is older. For the journal: "
       "`log.journal.retention_age`."},
      {"log.create", "true", Switch{at<&Config::log, &Log::create>},
       "Whether a stream, topic or queue that is not there is made. Not for the journal."},
      {"log.password_file", "", File{at<&Config::log, &Log::password_file>, FileUse::optional},
       "The broker's password: the bytes of the file, without one newline at its end. The user's name is in the URL, "
       "for "
       "Kafka in `log.kafka.username`.",
       Secrecy::secret},
      {"log.journal.path", "journal.db", File{at<&Config::log, &Log::journal, &Log::Journal::path>, FileUse::made},
       "The journal's file, made when it is not there."},
      {"log.journal.retention_age", "24h",
       Duration{at<&Config::log, &Log::journal, &Log::Journal::retention_age>, seconds{1}, hours{24 * 3650}},
       "Older events leave the journal."},
      {"log.journal.retention_bytes", "1GiB",
       Size{at<&Config::log, &Log::journal, &Log::Journal::retention_bytes>, kMiB, 1024 * kTiB},
       "The oldest events leave a larger journal."},
      {"log.tls.ca_file", "", File{at<&Config::log, &Log::tls, &Log::Tls::ca_file>, FileUse::optional},
       "Who vouches for the broker, PEM. Empty: the system's authorities."},
      {"log.tls.certificate", "", File{at<&Config::log, &Log::tls, &Log::Tls::certificate>, FileUse::optional},
       "This node's certificate for the broker, PEM, when the broker asks for one."},
      {"log.tls.private_key", "", File{at<&Config::log, &Log::tls, &Log::Tls::private_key>, FileUse::optional},
       "The certificate's private key, PEM.", Secrecy::secret},
      {"log.redis.url", "redis://127.0.0.1:6379/0", Text{at<&Config::log, &Log::redis, &Log::Redis::url>, 1},
       "For `kind = \"redis\"`: `redis://user@host:port/database`; `rediss://` for TLS, where the build's hiredis has "
       "it."},
      {"log.redis.stream", "carillon:events", Text{at<&Config::log, &Log::redis, &Log::Redis::stream>, 1},
       "The stream's key."},
      {"log.kafka.brokers", "127.0.0.1:9092", Text{at<&Config::log, &Log::kafka, &Log::Kafka::brokers>, 1},
       "For `kind = \"kafka\"`: addresses of brokers, separated by commas."},
      {"log.kafka.topic", "carillon.events", Text{at<&Config::log, &Log::kafka, &Log::Kafka::topic>, 1},
       "The topic, of at most 32 partitions."},
      {"log.kafka.tls", "false", Switch{at<&Config::log, &Log::kafka, &Log::Kafka::tls>},
       "Whether the brokers are spoken to over TLS."},
      {"log.kafka.sasl_mechanism", "none",
       Word{choose<&Config::log, &Log::kafka, &Log::Kafka::sasl_mechanism>,
            {"none", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"}},
       "How this node proves who it is, with `username` and `log.password_file`."},
      {"log.kafka.username", "", Text{at<&Config::log, &Log::kafka, &Log::Kafka::username>, 0}, "The user's name."},
      {"log.rabbitmq.url", "amqp://127.0.0.1:5672/", Text{at<&Config::log, &Log::rabbitmq, &Log::Rabbitmq::url>, 1},
       "For `kind = \"rabbitmq\"`: `amqp://user@host:port/vhost`; `amqps://` for TLS."},
      {"log.rabbitmq.queue", "carillon.events", Text{at<&Config::log, &Log::rabbitmq, &Log::Rabbitmq::queue>, 1},
       "The stream queue."},
      {"log.jetstream.url", "nats://127.0.0.1:4222", Text{at<&Config::log, &Log::jetstream, &Log::Jetstream::url>, 1},
       "For `kind = \"jetstream\"`: `nats://user@host:port`, several separated by commas; `tls://` for TLS."},
      {"log.jetstream.stream", "CARILLON", Text{at<&Config::log, &Log::jetstream, &Log::Jetstream::stream>, 1},
       "The stream."},
      {"log.jetstream.subject", "carillon.events", Text{at<&Config::log, &Log::jetstream, &Log::Jetstream::subject>, 1},
       "The subject of its events."},
      {"log.jetstream.credentials_file", "",
       File{at<&Config::log, &Log::jetstream, &Log::Jetstream::credentials_file>, FileUse::optional},
       "The user's `.creds` file.", Secrecy::secret},

      {"grpc.listen", "", Text{at<&Config::grpc, &Config::Grpc::listen>, 0},
       "Where publishers may call by gRPC, TLS only, with the server's certificate. Empty: off. In a build with gRPC."},

      {"console.enabled", "true", Switch{at<&Config::console, &Config::Console::enabled>},
       "Whether the console is served under `/console/` at `server.listen`."},
      {"console.directory", "", File{at<&Config::console, &Config::Console::directory>, FileUse::pages},
       "Its files, read at start. Empty: the folder `console` beside the program, where there is one."},

      {"telemetry.log_format", "text", Word{choose<&Config::telemetry, &Telemetry::log_format>, {"text", "json"}},
       "The form of the log lines on standard error."},
      {"telemetry.log_level", "info",
       Word{choose<&Config::telemetry, &Telemetry::log_level>, {"debug", "info", "warning", "error"}},
       "The least level that is logged."},
  };
}

}  // namespace

std::span<const Row> table() {
  static const std::vector<Row> rows = make_table();
  return rows;
}

const Row* find_row(std::string_view key) {
  const auto row = std::ranges::find(table(), key, &Row::key);
  return row == table().end() ? nullptr : &*row;
}

std::string environment_name(std::string_view key) {
  std::string name = "CARILLON_";
  for (const char c : key) name += c == '.' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return name;
}

}  // namespace carillon::config
