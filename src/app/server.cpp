#include "app/server.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <thread>
#include <utility>

#include "admin/admin_routes.hpp"
#include "app/console_files.hpp"
#include "app/event_log_choice.hpp"
#include "app/version.hpp"
#include "auth/key_set.hpp"
#include "base/ensure.hpp"
#include "base/short_slice.hpp"
#include "net/listener.hpp"
#include "telemetry/log.hpp"

namespace carillon::app {

using telemetry::Level;

namespace {

// What the process needs beside its connections: the log, listeners, loops, standard streams.
constexpr std::uint64_t kOwnDescriptors = 128;
constexpr std::uint32_t kAdminConnectionsMax = 64;
constexpr milliseconds kLastWordsTime{2500};  // after the window: close frames and answers on their way
constexpr milliseconds kLook{20};
constexpr milliseconds kAnewWindow{2000};  // clients that must begin anew do not come back together

// Raises the soft limit to the hard one and tells it.
std::uint64_t descriptors_max() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

std::uint64_t connections_max(const config::Config& config) {
  const std::uint64_t descriptors = descriptors_max();
  const std::uint64_t possible = descriptors > 2 * kOwnDescriptors ? descriptors - kOwnDescriptors : kOwnDescriptors;
  const std::uint64_t wanted = config.limits.connections_max;
  return std::min<std::uint64_t>({wanted == 0 ? possible : wanted, possible, 1'000'000});
}

std::size_t shard_count(const config::Config& config) {
  if (config.server.shards != 0) return config.server.shards;
  return std::max(1U, std::thread::hardware_concurrency());
}

}  // namespace

Server::Server(const config::Config& config)
    : config_(config),
      main_(clock_),
      ticket_keys_(net::make_ticket_keys()),
      connections_(connections_max(config), config.limits.connections_per_ip_max),
      admin_connections_(kAdminConnectionsMax, kAdminConnectionsMax),
      users_(config.limits.connections_per_user_max),
      notification_thread_(clock_, "notification"),
      admin_(main_, {}, admin_connections_, nullptr, metrics_),
      signals_(main_, [this](int signal) { on_signal(signal); }),
      memory_upkeep_(main_, connections_.total) {}

Server::~Server() {
  stop();
}

Result<> Server::start() {
  auto keys = auth::KeySet::load(config_.auth.tokens);
  if (!keys) return std::unexpected(keys.error());
  verifier_ = std::make_shared<auth::Verifier>(config_.auth.tokens, *keys);

  auto log =
      make_event_log(config_,
                     {.on_fatal = [this](const Error& error) { main_.post([this, error] { on_fatal(error); }); },
                      .on_gap = [this](GapReason reason) { main_.post([this, reason] { begin_anew(reason); }); }},
                     clock_, metrics_);
  if (!log) return std::unexpected(log.error());
  log_ = std::move(*log);
  // An order is known for as long as its last update is in what a node reads.
  const bool is_journal = config_.log.kind == config::LogKind::journal;
  notification::RecordProcessor::Options processing;
  processing.orders.terminal_memory = is_journal ? config_.log.journal.retention_age : config_.log.history;
  processing.filters_duplicates = !is_journal;
  notification_ = std::make_unique<notification::NotificationService>(notification_thread_.loop(), *log_, fan_out_,
                                                                      clock_, metrics_, processing);
  stopped_ = false;
  if (auto built = build_shards(); !built) return built;
  if (auto bound = bind_ports(); !bound) return bound;
  if (auto started = start_grpc(); !started) return started;
  for (const auto& shard : shards_) shard->start();
  notification_thread_.start();
  opening_log_ = true;
  notification_thread_.loop().post([this] {
    ask_for_short_slices();
    open_log();
  });
  telemetry::log(Level::info, "listening",
                 {{"version", version()},
                  {"listen", config_.server.listen.text()},
                  {"admin_listen", config_.server.admin_listen.text()},
                  {"grpc_listen", config_.grpc.listen},
                  {"shards", shards_.size()},
                  {"log", event_log_name(config_)}});
  return {};
}

Result<> Server::build_shards() {
  const auto console = load_console(config_.console);
  if (!console) return std::unexpected(console.error());
  const Shared shared{.config = config_,
                      .clock = clock_,
                      .log = *log_,
                      .verifier = verifier_,
                      .connections = connections_,
                      .users = users_,
                      .metrics = metrics_,
                      .facts = [this] { return facts(); },
                      .console = *console};
  for (std::size_t i = 0; i < shard_count(config_); ++i) {
    auto tls = load_certificate();
    if (!tls) return std::unexpected(tls.error());
    shards_.push_back(std::make_unique<Shard>(shared, i, std::move(*tls)));
    fan_out_.add(shards_.back()->loop(), shards_.back()->hub());
  }
  return {};
}

Result<> Server::bind_ports() {
  if (!config_.server.reuse_port)
    if (auto is_free = net::ensure_port_is_free(config_.server.listen); !is_free) return is_free;
  for (const auto& shard : shards_) {
    auto listener =
        net::listen_on(config_.server.listen, {.share = true, .congestion_control = config_.server.congestion_control});
    if (!listener) return std::unexpected(listener.error());
    shard->bind(std::move(*listener));
  }
  auto listener = net::listen_on(config_.server.admin_listen, {});
  if (!listener) return std::unexpected(listener.error());
  for (auto& route : admin::admin_routes(metrics_, [this] { return obstacle(); })) admin_.add(std::move(route));
  admin_.add(admin::stats_route("/stats", metrics_, [this] { return facts(); }, admin::open_to_all));
  return admin_.serve(std::move(*listener));
}

Result<> Server::start_grpc() {
  if (config_.grpc.listen.empty()) return {};
  const auto endpoint = net::Endpoint::parse(config_.grpc.listen);
  if (!endpoint) return std::unexpected(endpoint.error());
  const ingest::GrpcPublisher::Options options{
      .listen = *endpoint,
      .certificate = config_.server.certificate,
      .private_key = config_.server.private_key,
      .allow_tls12 = config_.server.tls_min_version == config::TlsVersion::v1_2,
      .reuse_port = config_.server.reuse_port,
      .reflection = config_.grpc.reflection,
      .token_leeway = config_.auth.tokens.leeway};
  grpc_ = std::make_unique<ingest::GrpcPublisher>(options, *log_, verifier_, clock_, metrics_);
  return grpc_->start();
}

Result<std::shared_ptr<const net::TlsContext>> Server::load_certificate() const {
  const net::TlsOptions options{.certificate = config_.server.certificate,
                                .private_key = config_.server.private_key,
                                .allow_tls12 = config_.server.tls_min_version == config::TlsVersion::v1_2};
  auto context = net::TlsContext::server(options, ticket_keys_);
  if (!context) return std::unexpected(context.error());
  return std::make_shared<const net::TlsContext>(std::move(*context));
}

// On the notification thread, which has nothing else to do until then.
void Server::open_log() {
  if (const auto opened = log_->start(*notification_); opened) {
    fan_out_.set_origin(log_->origin().position);
    main_.post([this] { start_watch_.emplace(main_, kLook, [this] { return serve_when_caught_up(); }); });
  } else {
    main_.post([this, error = opened.error()] { refuse_to_start(error); });
  }
  opening_log_ = false;
  opening_log_.notify_all();
}

void Server::refuse_to_start(const Error& error) {
  start_error_ = error;
  main_.stop();
}

// What was in the log before we started is history, not news: no session begins until every hub has it.
bool Server::serve_when_caught_up() {
  if (!log_->has_caught_up()) return false;
  notification_thread_.loop().post([this] {
    for (const auto& shard : shards_) shard->open();
    serving_ = true;
    telemetry::log(Level::info, "started", {{"listen", config_.server.listen.text()}});
  });
  return true;
}

std::string Server::obstacle() const {
  if (draining_) return "shutting down";
  if (!serving_) return "reading the log";
  if (!log_->is_writable()) return "the log takes no events";
  return {};
}

admin::NodeFacts Server::facts() const {
  return {.version = version(),
          .at = clock_.wall_now(),
          .uptime = std::chrono::duration_cast<std::chrono::seconds>(clock_.mono_now() - began_),
          .obstacle = obstacle(),
          .log_kind = config::kLogKinds.at(static_cast<std::size_t>(config_.log.kind)),
          .log_is_writable = log_->is_writable()};
}

Result<int> Server::run() {
  main_.run();
  stop();
  if (start_error_) return std::unexpected(*start_error_);
  telemetry::log(Level::info, "stopped", {{"exit_code", exit_code_}});
  return exit_code_;
}

void Server::on_signal(int signal) {
  if (signal == SIGHUP) return reload_certificate();
  begins_anew_ = false;
  // A second one means now.
  drain(drain_watch_ ? milliseconds{0} : config_.server.drain_window);
}

// New handshakes get the new certificate; a pair that is not good changes nothing (cases.md A15, A16).
void Server::reload_certificate() {
  std::vector<std::shared_ptr<const net::TlsContext>> contexts;
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    auto tls = load_certificate();
    if (!tls) {
      telemetry::log(Level::error, "certificate not reloaded", {{"reason", tls.error().message}});
      return;
    }
    contexts.push_back(std::move(*tls));
  }
  for (std::size_t i = 0; i < shards_.size(); ++i) shards_[i]->use_certificate(std::move(contexts[i]));
  telemetry::log(Level::info, "certificate reloaded", {{"certificate", config_.server.certificate.string()}});
}

void Server::drain(milliseconds window) {
  draining_ = true;
  telemetry::log(Level::info, "draining", {{"window_ms", window.count()}});
  for (const auto& shard : shards_) shard->drain(window);
  drain_watch_.emplace(main_, kLook, [this, end = main_.now() + window + kLastWordsTime] {
    std::int64_t left = 0;
    for (const auto& shard : shards_) left += shard->connections();
    if (left > 0 && main_.now() < end) return false;
    main_.stop();
    return true;
  });
}

void Server::on_fatal(const Error& error) {
  telemetry::log(Level::error, "the event log failed", {{"reason", error.message}});
  exit_code_ = 1;
  drain(milliseconds{0});
}

// What the clients have is no beginning of what the log holds now. They are told so when they come back (protocol 6.1).
void Server::begin_anew(GapReason reason) {
  telemetry::log(Level::error, "beginning anew", {{"reason", to_string(reason)}});
  begins_anew_ = true;
  drain(std::min(kAnewWindow, config_.server.drain_window));
}

// Against the flow: no new input, then the log, so that every call that waits is answered, then who follows it.
void Server::stop() {
  if (std::exchange(stopped_, true)) return;
  for (const auto& shard : shards_) shard->stop_listening();
  log_->abandon_start();
  opening_log_.wait(true);
  log_->stop();
  if (grpc_) grpc_->stop();
  fan_out_.close();
  notification_thread_.stop();
  for (const auto& shard : shards_) shard->stop();
}

}  // namespace carillon::app
