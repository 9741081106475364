#include "websocket/websocket_server.hpp"

#include <algorithm>

#include "protocol/server_message.hpp"

namespace carillon::websocket {

namespace {

// Sessions that catch up and write in one turn, 64 KiB at most each: about a millisecond of all others' time.
constexpr std::size_t kGoOnMax = 16;

}  // namespace

WebSocketServer::Counters::Counters(telemetry::Registry& metrics)
    : open(metrics.gauge("carillon_connections", "WebSocket connections now")),
      live(metrics.gauge("carillon_sessions", "authenticated sessions now")),
      behind(metrics.gauge("carillon_sessions_behind", "connections whose socket does not take what waits, now")),
      notifications(metrics.counter("carillon_notifications_sent_total", "notifications written to clients")),
      bytes(metrics.counter("carillon_sent_bytes_total", "bytes of messages written to clients, before TLS")),
      slow(metrics.counter("carillon_slow_clients_total", "sessions closed with 4420 because they fell behind")) {}

WebSocketServer::WebSocketServer(runtime::Loop& loop, hub::Hub& hub, std::shared_ptr<const auth::Verifier> verifier,
                                 runtime::KeyedLimit& users, Positions positions, Options options,
                                 telemetry::Registry& metrics)
    : loop_(loop),
      hub_(hub),
      verifier_(std::move(verifier)),
      users_(users),
      positions_(std::move(positions)),
      options_(std::move(options)),
      metrics_(metrics),
      counters_(metrics),
      latency_(metrics),
      random_(std::random_device{}()) {}

WebSocketServer::~WebSocketServer() = default;

net::Route WebSocketServer::route() {
  net::Route route;
  route.method = "GET";
  route.path = "/v1/stream";
  route.decide_upgrade = [this](const net::HttpRequest& request) { return decide(request); };
  return route;
}

std::expected<net::Route::TakeOver, net::HttpResponse> WebSocketServer::decide(const net::HttpRequest& request) {
  if (draining_) {
    auto response = net::problem(503, "this node is shutting down");
    const auto seconds = 1 + random_up_to(milliseconds{5000}).count() / 1000;
    response.fields.assign({{"Retry-After", std::to_string(seconds)}});
    return std::unexpected(std::move(response));
  }
  auto plan = plan_upgrade(request.head, options_);
  if (!plan) return std::unexpected(std::move(plan.error()));

  std::optional<std::expected<Principal, auth::TokenFault>> verdict;
  if (plan->carrier != Carrier::first_message) {
    verdict = plan->token.empty() ? std::unexpected(auth::TokenFault{"missing_token", "no bearer token was given"})
                                  : verifier_->verify(plan->token, loop_.wall_now());
    plan->token.clear();
  }
  // A program reads a refused upgrade; a browser cannot, so the other carriers are refused on the socket (2.3).
  if (plan->carrier == Carrier::header && !*verdict) return std::unexpected(refuse_token(verdict->error()));

  if (plan->carrier == Carrier::header && !users_.has_room((*verdict)->user_id))
    return std::unexpected(net::problem(429, "too many connections of this user"));

  return [this, plan = std::move(*plan), verdict = std::move(verdict)](net::Upgrade&& upgrade) mutable {
    const std::uint64_t id = random_();
    auto session = std::make_unique<Session>(*this, id, std::move(upgrade.stream), std::move(upgrade.slot),
                                             upgrade.request.client);
    Session& begun = *session;
    sessions_[id] = std::move(session);
    begun.begin(plan, std::move(verdict), upgrade.early_bytes);
  };
}

net::HttpResponse WebSocketServer::refuse_token(const auth::TokenFault& fault) {
  count("carillon_auth_failed_total", "tokens refused, by code", "code", fault.code);
  net::HttpResponse response;
  response.status = 401;
  response.body = protocol::encode_error("auth_failed", fault.code, fault.message, loop_.wall_now());
  response.fields.emplace_back("WWW-Authenticate", "Bearer error=\"invalid_token\"");
  return response;
}

void WebSocketServer::queue(Session& session) {
  if (std::exchange(session.is_queued_, true)) return;
  queued_.push_back(&session);
}

// Once per session and turn; those that came last go last.
void WebSocketServer::rest(Session& session) {
  if (std::exchange(session.is_resting_, true)) return;
  loop_.hurry();
  resting_.push_back(session.id_);
}

void WebSocketServer::let_some_go_on() {
  for (std::size_t left = std::min(resting_.size(), kGoOnMax); left > 0; --left) {
    const auto found = sessions_.find(resting_.front());
    resting_.pop_front();
    if (found == sessions_.end()) continue;
    found->second->is_resting_ = false;
    found->second->pump();
  }
  if (!resting_.empty()) loop_.hurry();
}

void WebSocketServer::open() {
  is_open_ = true;
  for (const auto& [id, session] : sessions_) session->enter();
}

void WebSocketServer::ask_whether_reached(const Session& session, const Place& place) {
  positions_.has_reached(place, [this, place, id = session.id_](Result<bool> reached) {
    loop_.post([this, place, id, reached = std::move(reached)] {
      const auto found = sessions_.find(id);
      if (found != sessions_.end()) found->second->on_answer(place, reached);
    });
  });
}

void WebSocketServer::flush() {
  let_some_go_on();
  // Writing may make a session close, which queues it once more.
  while (!queued_.empty()) {
    flushing_.swap(queued_);
    for (Session* const session : flushing_) {
      session->is_queued_ = false;
      session->pump();
    }
    flushing_.clear();
  }
}

void WebSocketServer::drain(milliseconds window) {
  draining_ = true;
  for (const auto& [id, session] : sessions_) session->drain(random_up_to(window), random_up_to(window));
}

void WebSocketServer::forget(Session& session) {
  const auto found = sessions_.find(session.id_);
  loop_.retire(std::move(found->second));
  sessions_.erase(found);
}

void WebSocketServer::count(std::string_view name, std::string_view help, std::string_view label,
                            std::string_view value) {
  telemetry::Counter*& cell = counted_[std::string(name) + " " + std::string(value)];
  if (cell == nullptr) cell = &metrics_.counter(name, help, {{std::string(label), std::string(value)}});
  cell->add();
}

milliseconds WebSocketServer::random_up_to(milliseconds most) {
  return milliseconds(std::uniform_int_distribution<std::int64_t>(0, most.count())(random_));
}

}  // namespace carillon::websocket
