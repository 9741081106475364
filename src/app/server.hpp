#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "admin/stats.hpp"
#include "app/memory_upkeep.hpp"
#include "app/poll.hpp"
#include "app/shard.hpp"
#include "app/signals.hpp"
#include "auth/verifier.hpp"
#include "base/clock.hpp"
#include "config/config.hpp"
#include "eventlog/event_log.hpp"
#include "ingest/grpc_publisher.hpp"
#include "net/connection_slot.hpp"
#include "net/http_server.hpp"
#include "net/tls_context.hpp"
#include "notification/fan_out.hpp"
#include "notification/notification_service.hpp"
#include "runtime/keyed_limit.hpp"
#include "runtime/loop.hpp"
#include "telemetry/metrics.hpp"

namespace carillon::app {

// The whole node, put together as ARCHITECTURE.md draws it:
//
//   ingest ──append──▶ event log ──accept──▶ notification ──publish──▶ hubs ──deliver──▶ sessions ──write──▶ clients
//
// Lives on the main thread, whose loop serves signals and the administrator's port.
class Server {
 public:
  // Call block_signals() before. `config` outlives the server.
  explicit Server(const config::Config& config);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Binds the ports and starts every thread. Connections are accepted from here on; publishing is
  // refused until the log is open, and sessions wait until it is read, which may take seconds. Fails with a sentence
  // that names what is wrong.
  [[nodiscard]] Result<> start();
  // Serves until SIGTERM or SIGINT, or until the log fails for good; then stops in order. The result is the process's
  // exit code; a failure says why the log could not be opened.
  [[nodiscard]] Result<int> run();
  // After run(): it ended because the log no longer goes on where this node was; another Server is to take its place.
  [[nodiscard]] bool begins_anew() const { return begins_anew_; }

 private:
  [[nodiscard]] Result<> build_shards();
  [[nodiscard]] Result<> bind_ports();
  [[nodiscard]] Result<> start_grpc();
  [[nodiscard]] Result<std::shared_ptr<const net::TlsContext>> load_certificate() const;
  // Any thread.
  [[nodiscard]] std::string obstacle() const;
  [[nodiscard]] admin::NodeFacts facts() const;
  void open_log();
  void refuse_to_start(const Error& error);
  [[nodiscard]] bool serve_when_caught_up();
  void on_signal(int signal);
  void reload_certificate();
  void drain(milliseconds window);
  void on_fatal(const Error& error);
  void begin_anew(GapReason reason);
  void stop();

  const config::Config& config_;
  SystemClock clock_;
  const MonoTime began_ = clock_.mono_now();
  telemetry::Registry metrics_;
  runtime::Loop main_;
  net::TicketKeys ticket_keys_;
  net::ConnectionLimits connections_;
  net::ConnectionLimits admin_connections_;
  runtime::KeyedLimit users_;
  std::shared_ptr<const auth::Verifier> verifier_;
  std::unique_ptr<eventlog::EventLog> log_;
  notification::FanOut fan_out_;
  runtime::LoopThread notification_thread_;
  std::unique_ptr<notification::NotificationService> notification_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::unique_ptr<ingest::GrpcPublisher> grpc_;  // where it is configured
  net::HttpServer admin_;
  Signals signals_;
  MemoryUpkeep memory_upkeep_;
  std::optional<Poll> start_watch_;  // for the end of the log's history
  std::optional<Poll> drain_watch_;  // for the last connection to go, or the time to be up
  std::atomic<bool> opening_log_{false};
  std::optional<Error> start_error_;
  std::atomic<bool> serving_{false};
  std::atomic<bool> draining_{false};
  int exit_code_ = 0;
  bool begins_anew_ = false;
  bool stopped_ = true;
};

}  // namespace carillon::app
