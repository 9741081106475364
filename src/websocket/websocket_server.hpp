#pragma once

#include <cstdint>
#include <deque>
#include <expected>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

#include "auth/verifier.hpp"
#include "event/place.hpp"
#include "hub/hub.hpp"
#include "net/http_server.hpp"
#include "protocol/close_code.hpp"
#include "runtime/keyed_limit.hpp"
#include "runtime/loop.hpp"
#include "telemetry/metrics.hpp"
#include "websocket/latency_meter.hpp"
#include "websocket/options.hpp"
#include "websocket/session.hpp"

namespace carillon::websocket {

// The WebSocket side of one shard: upgrades requests to /v1/stream into sessions, owns them, and writes what each has
// to say once per turn. Shard-confined.
class WebSocketServer final : private hub::DeliveryObserver {
 public:
  // What the log says of the positions that clients name, as eventlog::EventLog does. `done` may run on any thread, and
  // not once the loop has been stopped.
  struct Positions {
    std::function<std::expected<Place, GapReason>(std::string_view)> locate;
    std::function<void(Place, std::move_only_function<void(Result<bool>)> done)> has_reached;
  };

  // `users` counts connections per user over all shards. All references outlive the server.
  WebSocketServer(runtime::Loop& loop, hub::Hub& hub, std::shared_ptr<const auth::Verifier> verifier,
                  runtime::KeyedLimit& users, Positions positions, Options options, telemetry::Registry& metrics);
  ~WebSocketServer();
  WebSocketServer(const WebSocketServer&) = delete;
  WebSocketServer& operator=(const WebSocketServer&) = delete;

  // The route that requests come in by.
  [[nodiscard]] net::Route route();

  // The hub has what the log held: from now on sessions begin, those that waited for it first.
  void open();

  // Writes for every session that has something to say; at the end of each turn, after the hub delivered.
  void flush();

  // Refuses upgrades from now on, and closes the sessions one by one, spread over `window` (protocol 7.3).
  void drain(milliseconds window);
  // Connections now. Any thread.
  [[nodiscard]] std::int64_t connections() const { return counters_.open.value(); }

 private:
  friend class Session;

  struct Counters {
    explicit Counters(telemetry::Registry& metrics);
    telemetry::Gauge& open;
    telemetry::Gauge& live;
    telemetry::Gauge& behind;
    telemetry::Counter& notifications;
    telemetry::Counter& bytes;
    telemetry::Counter& slow;
  };

  [[nodiscard]] std::expected<net::Route::TakeOver, net::HttpResponse> decide(const net::HttpRequest& request);
  [[nodiscard]] net::HttpResponse refuse_token(const auth::TokenFault& fault);
  void forget(Session& session);
  void queue(Session& session);                                          // for flush()
  void rest(Session& session);                                           // it has more to write, and others come first
  void ask_whether_reached(const Session& session, const Place& place);  // answered by Session::on_answer()
  void let_some_go_on();
  void on_delivery(const Publication& publication) override {
    latency_.written(publication.kind, reading_at_ - publication.accepted_at);
  }
  void count(std::string_view name, std::string_view help, std::string_view label, std::string_view value);
  [[nodiscard]] milliseconds random_up_to(milliseconds most);

  runtime::Loop& loop_;
  hub::Hub& hub_;
  std::shared_ptr<const auth::Verifier> verifier_;
  runtime::KeyedLimit& users_;
  Positions positions_;
  Options options_;
  telemetry::Registry& metrics_;
  Counters counters_;
  LatencyMeter latency_;
  std::unordered_map<std::string, telemetry::Counter*> counted_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Session>> sessions_;
  std::vector<Session*> queued_, flushing_;
  std::deque<std::uint64_t> resting_;  // ids, for they may be gone when it is their turn
  MonoTime reading_at_;                // when the session that is being written reads
  std::string input_;                  // what one session has read
  std::string scratch_;                // what one session writes in one go
  std::mt19937_64 random_;
  bool draining_ = false;
  bool is_open_ = false;
};

}  // namespace carillon::websocket
