#include "app/shard.hpp"

#include <utility>

#include "base/ensure.hpp"
#include "ingest/admission.hpp"

namespace carillon::app {

namespace {

websocket::Options session_options(const config::Config& config) {
  websocket::Options options;
  options.allowed_origins = config.server.allowed_origins;
  options.allow_missing_origin = config.server.allow_missing_origin;
  options.token_timeout = config.auth.token_timeout;
  options.token_leeway = config.auth.tokens.leeway;
  options.heartbeat_interval = config.heartbeat.interval;
  options.heartbeat_timeout = config.heartbeat.timeout;
  options.message_bytes_max = config.limits.message_bytes_max;
  options.queue_bytes_max = config.limits.queue_bytes_max;
  options.queue_age_max = config.limits.queue_age_max;
  options.messages_per_second_max = config.limits.messages_per_second_max;
  return options;
}

net::HttpOptions http_options(const config::Config& config) {
  net::HttpOptions options;
  options.handshake_timeout = config.server.handshake_timeout;
  options.head_timeout = config.server.handshake_timeout;
  options.head_bytes_max = config.limits.header_bytes_max;
  options.trusted_proxies = config.server.trusted_proxies;
  return options;
}

// As for dead letters.
admin::Refusal to_administrators(std::shared_ptr<const auth::Verifier> verifier, const runtime::Loop& loop) {
  return [verifier = std::move(verifier), &loop](const net::HttpHead& head) -> std::optional<net::HttpResponse> {
    auto principal = ingest::admit(head, *verifier, Grant::admin, loop.wall_now());
    if (principal) return std::nullopt;
    return std::move(principal.error());
  };
}

}  // namespace

Shard::Shard(const Shared& shared, std::size_t number, std::shared_ptr<const net::TlsContext> tls)
    : thread_(shared.clock, "shard-" + std::to_string(number)),
      hub_({.age = shared.config.window.age, .bytes = shared.config.window.bytes}),
      websocket_(thread_.loop(), hub_, shared.verifier, shared.users,
                 {.locate = [&log = shared.log](std::string_view position) { return log.locate(position); },
                  .has_reached = [&log = shared.log](
                                     Place place, auto done) { log.has_reached(std::move(place), std::move(done)); }},
                 session_options(shared.config), shared.metrics),
      rest_(thread_.loop(), shared.log, shared.verifier, shared.metrics),
      dead_letters_(thread_.loop(), shared.log, shared.verifier),
      http_(thread_.loop(), http_options(shared.config), shared.connections, std::move(tls), shared.metrics) {
  http_.add(websocket_.route());
  http_.add(rest_.route());
  http_.add(dead_letters_.list_route());
  http_.add(dead_letters_.replay_route());
  http_.add(admin::stats_route("/v1/stats", shared.metrics, shared.facts,
                               to_administrators(shared.verifier, thread_.loop())));
  if (shared.console)
    for (auto& route : shared.console->routes()) http_.add(std::move(route));
  // What was published in a turn is delivered and written at its end, together.
  thread_.loop().at_turn_end([this] {
    if (hub_.deliver(thread_.loop().clock_now())) thread_.loop().hurry();
  });
  thread_.loop().at_turn_end([this] { websocket_.flush(); });
  if (number > 0) return;
  const HubGauges gauges{
      .window_events = shared.metrics.gauge("carillon_window_events", "events that can be resumed from memory"),
      .window_bytes = shared.metrics.gauge("carillon_window_bytes", "memory they take, about"),
      .open_orders = shared.metrics.gauge("carillon_open_orders", "orders that have not ended")};
  thread_.loop().at_turn_end([this, gauges] { report(gauges); });
}

void Shard::report(const HubGauges& gauges) const {
  const hub::RecentWindow& window = hub_.window();
  gauges.window_events.set(static_cast<std::int64_t>(window.end() - window.begin()));
  gauges.window_bytes.set(static_cast<std::int64_t>(window.bytes()));
  gauges.open_orders.set(static_cast<std::int64_t>(hub_.state().open_orders()));
}

void Shard::start() {
  loop().post([this] { ensure(http_.serve(std::move(listener_)).has_value(), "a listening socket can be watched"); });
  thread_.start();
}

void Shard::open() {
  loop().post([this] { websocket_.open(); });
}

void Shard::use_certificate(std::shared_ptr<const net::TlsContext> tls) {
  loop().post([this, tls = std::move(tls)] { http_.use_certificate(tls); });
}

void Shard::drain(milliseconds window) {
  loop().post([this, window] { websocket_.drain(window); });
}

void Shard::stop_listening() {
  loop().post([this] { http_.stop(); });
}

}  // namespace carillon::app
