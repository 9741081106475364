#pragma once

#include <memory>
#include <string>

#include "admin/static_files.hpp"
#include "admin/stats.hpp"
#include "auth/verifier.hpp"
#include "config/config.hpp"
#include "eventlog/event_log.hpp"
#include "hub/hub.hpp"
#include "ingest/dead_letter_desk.hpp"
#include "ingest/rest_publisher.hpp"
#include "net/http_server.hpp"
#include "runtime/loop.hpp"
#include "telemetry/metrics.hpp"
#include "websocket/websocket_server.hpp"

namespace carillon::app {

// What all shards share, and none changes but by what is made for many threads.
struct Shared {
  const config::Config& config;
  const Clock& clock;
  eventlog::EventLog& log;
  std::shared_ptr<const auth::Verifier> verifier;
  net::ConnectionLimits& connections;
  runtime::KeyedLimit& users;
  telemetry::Registry& metrics;
  admin::Facts facts;
  std::shared_ptr<const admin::StaticFiles> console;  // null: not served
};

// One core's share of the server: a thread with its loop, listener, TLS context, hub and sessions.
class Shard {
 public:
  Shard(const Shared& shared, std::size_t number, std::shared_ptr<const net::TlsContext> tls);

  // Before start(), which begins to accept connections.
  void bind(net::Fd listener) { listener_ = std::move(listener); }
  void start();

  // Any thread, once started. Calls of one thread are obeyed in order.
  // The hub has what the log held: sessions begin.
  void open();
  void use_certificate(std::shared_ptr<const net::TlsContext> tls);
  void drain(milliseconds window);
  void stop_listening();
  [[nodiscard]] std::int64_t connections() const { return websocket_.connections(); }
  void stop() { thread_.stop(); }

  [[nodiscard]] runtime::Loop& loop() { return thread_.loop(); }
  [[nodiscard]] hub::Hub& hub() { return hub_; }

 private:
  // What the hub holds; every shard holds the same, so only one of them tells.
  struct HubGauges {
    telemetry::Gauge &window_events, &window_bytes, &open_orders;
  };
  void report(const HubGauges& gauges) const;

  runtime::LoopThread thread_;
  net::Fd listener_;
  hub::Hub hub_;
  websocket::WebSocketServer websocket_;
  ingest::RestPublisher rest_;
  ingest::DeadLetterDesk dead_letters_;
  net::HttpServer http_;
};

}  // namespace carillon::app
