#pragma once

#include <cstdint>
#include <deque>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "net/address.hpp"
#include "net/connection_slot.hpp"
#include "net/fd.hpp"
#include "net/http_head.hpp"
#include "net/stream.hpp"
#include "net/tls_context.hpp"
#include "runtime/loop.hpp"
#include "telemetry/metrics.hpp"

namespace carillon::net {

struct HttpRequest {
  HttpHead head;
  std::string body;
  IpAddress client;  // behind trusted proxies
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> fields;  // our own text only, never a peer's
  std::string_view cache_control = "no-store";              // static text
  // Instead of `body`, for what is large and stays: sent piece by piece as the peer takes it, never copied as a whole.
  std::shared_ptr<const std::string> shared_body = {};
};

// RFC 9457, for refusals that need no more than a sentence. `detail` is our own text.
[[nodiscard]] HttpResponse problem(int status, std::string_view detail);

class HttpServer;

// The way to answer one request, then or later, on the server's thread. Does nothing once the connection is gone.
class Responder {
 public:
  Responder(HttpServer& server, std::uint64_t connection) : server_(&server), connection_(connection) {}
  void respond(const HttpResponse& response) const;

 private:
  HttpServer* server_;
  std::uint64_t connection_;
};

// A connection that leaves HTTP: its stream, what arrived behind the request, and its place among the connections.
struct Upgrade {
  HttpRequest request;
  Stream stream;
  std::string early_bytes;
  ConnectionSlot slot;
};

struct Route {
  using TakeOver = std::move_only_function<void(Upgrade&&)>;

  std::string method;
  std::string path;
  std::size_t body_bytes_max = 0;
  // Either answers by the responder, exactly once ...
  std::function<void(HttpRequest&&, Responder)> handle;
  // ... or decides by the head whether the connection leaves HTTP, and who takes it over then.
  std::function<std::expected<TakeOver, HttpResponse>(const HttpRequest&)> decide_upgrade;
};

struct HttpOptions {
  std::size_t head_bytes_max = 16 * 1024;
  milliseconds handshake_timeout{5000};  // TLS, from accept
  milliseconds head_timeout{5000};       // a request's head, from its first byte; the first one's from the handshake
  milliseconds body_timeout{10000};
  milliseconds answer_timeout{10000};  // then 503: the outcome is unknown
  milliseconds write_timeout{10000};   // a peer that takes nothing of its answer
  milliseconds keep_alive_timeout{60000};
  milliseconds linger_timeout{2000};  // between our last word and the end of the connection
  std::vector<Network> trusted_proxies;
};

// Serves HTTP/1.1 on one loop: accepts, shakes hands, reads one request at a time per connection, routes it, answers.
// Handshakes are worked off at the end of the loop's turns, a part of a millisecond at a time.
// Every refusal says `Connection: close` (protocol 7.4), and at most one request per connection is under way.
// Shard-confined. Calls of routes happen on the loop's thread.
class HttpServer {
 public:
  // `tls` null: clear text, for the administrator's loopback port only.
  HttpServer(runtime::Loop& loop, HttpOptions options, ConnectionLimits& limits, std::shared_ptr<const TlsContext> tls,
             telemetry::Registry& metrics);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Before serve().
  void add(Route route) { routes_.push_back(std::move(route)); }

  // Accepts on `listener` from now on; on the loop's thread, or before it runs.
  [[nodiscard]] Result<> serve(Fd listener);
  // Handshakes from now on use this one; connections that are there are not touched.
  void use_certificate(std::shared_ptr<const TlsContext> tls) { tls_ = std::move(tls); }
  // Accepts no more and drops every connection that is still HTTP and idle.
  void stop();

  [[nodiscard]] StreamScratch& scratch() { return scratch_; }

 private:
  friend class Responder;
  class Connection;
  class Acceptor;

  void accept_one(Fd socket, const IpAddress& peer);
  void go_on_with_handshakes();
  [[nodiscard]] const Route* find_route(const HttpHead& head, std::string& allowed) const;
  void forget(std::uint64_t connection);

  runtime::Loop& loop_;
  HttpOptions options_;
  ConnectionLimits& limits_;
  std::shared_ptr<const TlsContext> tls_;
  StreamScratch scratch_;
  std::vector<Route> routes_;
  std::unique_ptr<Acceptor> acceptor_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Connection>> connections_;
  std::deque<std::uint64_t> handshakes_;  // ids of connections that have sent something of theirs
  std::uint64_t next_connection_ = 1;

  telemetry::Registry& metrics_;
  std::unordered_map<int, telemetry::Counter*> answered_;  // by status
  void count_answer(int status);
  telemetry::Counter& accepted_;
  telemetry::Counter& handshakes_failed_;
  telemetry::Counter& not_admitted_;
  telemetry::Gauge& open_;
};

}  // namespace carillon::net
