#include "net/http_server.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "base/ensure.hpp"
#include "base/json.hpp"
#include "telemetry/log.hpp"

namespace carillon::net {

using telemetry::Level;

namespace {

// What may wait behind the request that is being answered; more stays in the kernel.
constexpr std::size_t kPipelinedBytesMax = 64 * 1024;
// What is read and thrown away after our last word, so that a reset does not destroy it on its way.
constexpr std::size_t kLingerBytesMax = 1024 * 1024;
// What is encrypted of a shared body at once: what the kernel refuses of it is all that is kept for the connection.
constexpr std::size_t kPieceBytes = 64 * 1024;
// Of a turn, for TLS handshakes: one or two. A turn of a broadcast takes a third more, however many come.
constexpr std::chrono::microseconds kHandshakesTime{300};

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 202:
      return "Accepted";
    case 304:
      return "Not Modified";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 411:
      return "Length Required";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 422:
      return "Unprocessable Content";
    case 426:
      return "Upgrade Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Internal Server Error";
  }
}

std::string encode_head(const HttpResponse& response, bool close) {
  const std::size_t size = response.shared_body ? response.shared_body->size() : response.body.size();
  std::string out = "HTTP/1.1 " + std::to_string(response.status) + " ";
  out.append(reason_phrase(response.status));
  out.append("\r\nContent-Type: ").append(response.content_type);
  out.append("\r\nContent-Length: ").append(std::to_string(size));
  for (const auto& [name, value] : response.fields) out.append("\r\n").append(name).append(": ").append(value);
  out.append("\r\nCache-Control: ").append(response.cache_control);
  out.append("\r\nX-Content-Type-Options: nosniff");
  if (close) out.append("\r\nConnection: close");
  return out.append("\r\n\r\n");
}

}  // namespace

HttpResponse problem(int status, std::string_view detail) {
  HttpResponse response;
  response.status = status;
  response.content_type = "application/problem+json";
  response.body = R"({"type":"about:blank","title":)";
  json::append_string(response.body, reason_phrase(status));
  response.body += ",\"status\":" + std::to_string(status) + ",\"detail\":";
  json::append_string(response.body, detail);
  response.body += "}";
  if (status == 429 || status == 503) response.fields.emplace_back("Retry-After", "1");
  return response;
}

// One connection from accept until its last answer or its upgrade.
class HttpServer::Connection final : public runtime::ReadyHandler,
                                     public runtime::TimerHandler,
                                     public runtime::Retirable {
 public:
  Connection(HttpServer& server, std::uint64_t id, Stream&& stream, const IpAddress& peer, ConnectionSlot slot,
             int refuse_with)
      : server_(server),
        id_(id),
        stream_(std::move(stream)),
        slot_(std::move(slot)),
        peer_(peer),
        refuse_with_(refuse_with),
        timer_(*this) {
    request_.client = peer;
  }

  ~Connection() override {
    if (stream_) server_.loop_.unwatch(stream_->fd(), *this);
    server_.open_.add(-1);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  [[nodiscard]] Result<> begin() {
    enter(stream_->is_open() ? State::head : State::handshake);
    watched_ = wanted_input();
    return server_.loop_.watch(stream_->fd(), watched_, *this);
  }

  void respond(const HttpResponse& response) {
    if (state_ != State::answering) return;
    // Refusals end the connection: what a peer that got one sends next is not worth parsing (cases.md B12).
    send(response, response.status >= 400 || close_after_answer_);
  }

  // What has arrived of the handshake, when its turn has come.
  void shake_hands() {
    is_queued_ = false;
    receive();
  }

  [[nodiscard]] bool is_idle() const { return state_ == State::handshake || state_ == State::head; }

 private:
  enum class State : std::uint8_t { handshake, head, body, answering, sending, lingering };

  void on_ready(std::uint32_t events) override {
    if ((events & EPOLLOUT) != 0 && !flush()) return;
    if (peer_ended_) return (events & (EPOLLHUP | EPOLLERR)) != 0 ? die() : void();
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0) return;
    if (state_ != State::handshake) return receive();
    if (!std::exchange(is_queued_, true)) server_.handshakes_.push_back(id_);
  }

  void on_timer() override {
    switch (state_) {
      case State::handshake:
        return drop("handshake timed out");
      case State::head:
        return input_.empty() && served_ > 0 ? die() : refuse(408, "the request head took too long");
      case State::body:
        return refuse(408, "the request body took too long");
      case State::answering:
        return refuse(503, "no answer in time; the outcome is unknown");
      case State::sending:
      case State::lingering:
        return die();
    }
  }

  void enter(State state) {
    state_ = state;
    const HttpOptions& options = server_.options_;
    const bool waits_for_next = state == State::head && served_ > 0 && input_.empty();
    const milliseconds limit = state == State::handshake                          ? options.handshake_timeout
                               : waits_for_next                                   ? options.keep_alive_timeout
                               : state == State::head                             ? options.head_timeout
                               : state == State::body                             ? options.body_timeout
                               : state == State::answering                        ? options.answer_timeout
                               : state == State::sending || stream_->has_unsent() ? options.write_timeout
                                                                                  : options.linger_timeout;
    server_.loop_.arm(timer_, limit);
  }

  void receive() {
    const bool was_open = stream_->is_open();
    const bool was_idle = state_ == State::head && served_ > 0 && input_.empty();
    const Stream::Status status = stream_->read(input_);
    if (status == Stream::Status::failed || status == Stream::Status::closed) {
      if (!stream_->is_open()) return drop("handshake failed");
      if (status == Stream::Status::failed || state_ == State::lingering) return die();
      // A peer that has said all it wants to say may still wait for the answer.
      peer_ended_ = true;
    }
    if (state_ == State::lingering) return discard();
    if (!was_open) {
      if (!stream_->is_open()) return watch_for_unsent();
      enter(State::head);
    } else if (was_idle && !input_.empty()) {
      enter(State::head);
    }
    advance();
    if (peer_ended_ && (state_ == State::head || state_ == State::body)) die();
  }

  void discard() {
    discarded_ += input_.size();
    input_.clear();
    if (discarded_ > kLingerBytesMax) die();
  }

  // Goes on with what has arrived, one request at a time.
  void advance() {
    if (state_ == State::head && !read_head()) return;
    if (state_ == State::body && input_.size() >= body_size_) dispatch();
    watch_for_unsent();
  }

  // False when the connection is no longer ours to touch.
  bool read_head() {
    const std::size_t bytes_max = server_.options_.head_bytes_max;
    const auto end = find_head_end(input_, scanned_);
    if (end.value_or(input_.size()) > bytes_max) {
      const bool in_target = input_.find("\r\n") > bytes_max;
      return refuse(in_target ? 414 : 431, "the request head is too large"), false;
    }
    if (!end) {
      const auto fault = find_early_fault(input_, scanned_);
      scanned_ = input_.size();
      return fault ? (refuse(fault->status, fault->why), false) : true;
    }
    auto head = parse_http_head(std::string_view(input_).substr(0, *end));
    if (!head) return refuse(head.error().status, head.error().why), false;
    input_.erase(0, *end);
    scanned_ = 0;
    wants_body_ = head->method != "HEAD";
    request_ = HttpRequest{std::move(*head), {}, peer_};
    return route();
  }

  bool route() {
    request_.client = client_address(peer_, request_.head.joined("x-forwarded-for"), server_.options_.trusted_proxies);
    if (refuse_with_ == 0 && !slot_.is_taken_for_address() && !slot_.take_for(request_.client)) refuse_with_ = 429;
    if (refuse_with_ == 429) return refuse(429, "too many connections from this address"), false;
    if (refuse_with_ != 0) return refuse(refuse_with_, "too many connections"), false;
    std::string allowed;
    route_ = server_.find_route(request_.head, allowed);
    if (route_ == nullptr && allowed.empty()) return refuse(404, "there is nothing at this path"), false;
    if (route_ == nullptr) {
      HttpResponse response = problem(405, "this path does not take that method");
      response.fields.emplace_back("Allow", allowed);
      return refuse(response, "method not allowed"), false;
    }
    if (route_->decide_upgrade) return upgrade(), false;
    return accept_body();
  }

  bool accept_body() {
    const HttpHead& head = request_.head;
    close_after_answer_ = head.has_token("connection", "close");
    if (head.method == "POST" && !head.content_length) return refuse(411, "Content-Length is required"), false;
    body_size_ = head.content_length.value_or(0);
    if (body_size_ > route_->body_bytes_max) return refuse(413, "the body is too large"), false;
    if (head.has_token("expect", "100-continue") && input_.empty() && body_size_ > 0)
      stream_->write("HTTP/1.1 100 Continue\r\n\r\n");
    enter(State::body);
    return true;
  }

  void dispatch() {
    request_.body = input_.substr(0, body_size_);
    input_.erase(0, body_size_);
    enter(State::answering);
    const Responder responder(server_, id_);
    route_->handle(std::move(request_), responder);
  }

  void upgrade() {
    auto take_over = route_->decide_upgrade(request_);
    if (!take_over) return refuse(take_over.error(), "upgrade refused");
    timer_.disarm();
    server_.loop_.unwatch(stream_->fd(), *this);
    (*take_over)(Upgrade{std::move(request_), std::move(*stream_), std::move(input_), std::move(slot_)});
    stream_.reset();
    die();
  }

  void send(const HttpResponse& response, bool close) {
    server_.count_answer(response.status);
    ++served_;
    close_after_answer_ = close;
    std::string out = encode_head(response, close);
    if (wants_body_ && response.status != 304) {
      out.append(response.body);
      shared_body_ = response.shared_body;
      unwritten_ = shared_body_ ? *shared_body_ : std::string_view{};
    }
    if (stream_->write(out) == Stream::Status::failed) return die();
    (void)go_on_sending();
  }

  // Writes what comes next of the answer, a piece a turn, and goes on with the connection when the peer has it all.
  // False when the connection is no longer ours to touch.
  bool go_on_sending() {
    if (!stream_->has_unsent() && !unwritten_.empty()) {
      const std::string_view piece = unwritten_.substr(0, kPieceBytes);
      unwritten_.remove_prefix(piece.size());
      if (stream_->write(piece) == Stream::Status::failed) return die(), false;
    }
    const bool is_written = unwritten_.empty();
    if (is_written) shared_body_.reset();
    if (is_written && (close_after_answer_ || peer_ended_)) {
      stream_->finish_writing();
      enter(State::lingering);
    } else if (is_written && !stream_->has_unsent()) {
      wants_body_ = true;
      enter(State::head);
      // A request may be waiting behind; its turn comes in a turn of its own.
      if (!input_.empty()) in_next_turn([](Connection& self) { self.advance(); });
    } else {
      enter(State::sending);
      if (!stream_->has_unsent())
        in_next_turn([](Connection& self) { self.state_ == State::sending&& self.go_on_sending(); });
    }
    watch_for_unsent();
    return true;
  }

  void in_next_turn(void (*then)(Connection&)) {
    server_.loop_.post([server = &server_, id = id_, then] {
      const auto found = server->connections_.find(id);
      if (found != server->connections_.end()) then(*found->second);
    });
  }

  void refuse(int status, std::string_view why) { refuse(problem(status, why), why); }

  void refuse(const HttpResponse& response, std::string_view why) {
    telemetry::log(Level::info, "request refused",
                   {{"status", response.status}, {"reason", why}, {"client", request_.client.text()}});
    send(response, true);
  }

  // An error before there is anybody to tell.
  void drop(std::string_view why) {
    server_.handshakes_failed_.add();
    telemetry::log(Level::info, "connection dropped", {{"reason", why}, {"client", peer_.text()}});
    die();
  }

  bool flush() {
    const Stream::Status status = stream_->flush();
    if (status == Stream::Status::failed) return die(), false;
    if (state_ == State::sending) return go_on_sending();
    if (status == Stream::Status::ok && state_ == State::lingering) enter(State::lingering);
    watch_for_unsent();
    return true;
  }

  void watch_for_unsent() {
    if (!stream_) return;
    const bool full = (state_ == State::answering || state_ == State::sending) && input_.size() > kPipelinedBytesMax;
    const std::uint32_t wanted = (full || peer_ended_ ? 0U : wanted_input()) | (stream_->has_unsent() ? EPOLLOUT : 0U);
    if (wanted == watched_) return;
    watched_ = wanted;
    server_.loop_.rewatch(stream_->fd(), watched_, *this);
  }

  // A handshake that waits for its turn is not reported again and again.
  [[nodiscard]] std::uint32_t wanted_input() const {
    return state_ == State::handshake ? std::uint32_t{EPOLLIN} | EPOLLET : std::uint32_t{EPOLLIN};
  }

  void die() {
    timer_.disarm();
    server_.forget(id_);
  }

  HttpServer& server_;
  const std::uint64_t id_;
  std::optional<Stream> stream_;  // until it leaves HTTP
  ConnectionSlot slot_;
  const IpAddress peer_;
  int refuse_with_;  // not 0: every request is refused with this status
  runtime::Timer timer_;
  State state_ = State::handshake;
  std::uint32_t watched_ = 0;
  std::string input_;
  std::size_t scanned_ = 0;
  std::size_t body_size_ = 0;
  std::size_t discarded_ = 0;
  std::uint64_t served_ = 0;
  HttpRequest request_;
  const Route* route_ = nullptr;
  std::shared_ptr<const std::string> shared_body_;
  std::string_view unwritten_;  // of the shared body
  bool wants_body_ = true;      // the peer, of the answer; HEAD does not
  bool close_after_answer_ = false;
  bool peer_ended_ = false;
  bool is_queued_ = false;  // in the server's list of handshakes
};

// Takes connections off the listening socket; out of descriptors it pauses instead of spinning (cases.md H2).
class HttpServer::Acceptor final : public runtime::ReadyHandler, public runtime::TimerHandler {
 public:
  Acceptor(HttpServer& server, Fd listener) : server_(server), listener_(std::move(listener)), timer_(*this) {}
  ~Acceptor() { server_.loop_.unwatch(listener_.get(), *this); }
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  [[nodiscard]] Result<> begin() { return server_.loop_.watch(listener_.get(), EPOLLIN, *this); }

 private:
  static constexpr int kAcceptsPerTurn = 16;

  void on_ready(std::uint32_t) override {
    for (int i = 0; i < kAcceptsPerTurn; ++i) {
      sockaddr_storage address{};
      socklen_t size = sizeof address;
      Fd socket(::accept4(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!socket.is_open()) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) pause();
        return;
      }
      server_.accept_one(std::move(socket), IpAddress::of(reinterpret_cast<const sockaddr&>(address)));
    }
  }

  void pause() {
    telemetry::log(Level::error, "accepting paused", {{"reason", "no descriptors or memory left"}});
    server_.loop_.rewatch(listener_.get(), 0, *this);
    server_.loop_.arm(timer_, milliseconds{200});
  }

  void on_timer() override { server_.loop_.rewatch(listener_.get(), EPOLLIN, *this); }

  HttpServer& server_;
  Fd listener_;
  runtime::Timer timer_;
};

HttpServer::HttpServer(runtime::Loop& loop, HttpOptions options, ConnectionLimits& limits,
                       std::shared_ptr<const TlsContext> tls, telemetry::Registry& metrics)
    : loop_(loop),
      options_(std::move(options)),
      limits_(limits),
      tls_(std::move(tls)),
      metrics_(metrics),
      accepted_(metrics.counter("carillon_connections_accepted_total", "TCP connections accepted")),
      handshakes_failed_(
          metrics.counter("carillon_handshakes_failed_total", "TLS handshakes that failed or timed out")),
      not_admitted_(metrics.counter("carillon_connections_not_admitted_total",
                                    "connections closed at once because of the connection limit")),
      open_(metrics.gauge("carillon_http_connections", "connections that speak HTTP now")) {
  loop_.at_turn_end([this] { go_on_with_handshakes(); });
}

HttpServer::~HttpServer() = default;

Result<> HttpServer::serve(Fd listener) {
  acceptor_ = std::make_unique<Acceptor>(*this, std::move(listener));
  return acceptor_->begin();
}

void HttpServer::stop() {
  acceptor_.reset();
  std::vector<std::uint64_t> idle;
  for (const auto& [id, connection] : connections_)
    if (connection->is_idle()) idle.push_back(id);
  for (const std::uint64_t id : idle) forget(id);
}

void HttpServer::accept_one(Fd socket, const IpAddress& peer) {
  accepted_.add();
  ConnectionSlot slot;
  const ConnectionSlot::Place place = slot.take(limits_);
  if (place == ConnectionSlot::Place::none) {
    not_admitted_.add();
    telemetry::log(Level::warning, "connection dropped",
                   {{"reason", "connections_max reached"}, {"client", peer.text()}});
    return;
  }
  const auto is_proxy = [&](const Network& network) { return network.contains(peer); };
  int refuse_with = place == ConnectionSlot::Place::taken ? 0 : 503;
  // A proxy's clients are counted by their own addresses, once a request names them.
  if (refuse_with == 0 && std::none_of(options_.trusted_proxies.begin(), options_.trusted_proxies.end(), is_proxy) &&
      !slot.take_for(peer))
    refuse_with = 429;
  Stream stream(std::move(socket), tls_ ? tls_->new_connection() : nullptr, scratch_);
  const std::uint64_t id = next_connection_++;
  auto connection = std::make_unique<Connection>(*this, id, std::move(stream), peer, std::move(slot), refuse_with);
  open_.add(1);
  if (!connection->begin()) return;
  connections_.emplace(id, std::move(connection));
}

// Those who came first, first.
void HttpServer::go_on_with_handshakes() {
  if (handshakes_.empty()) return;
  const MonoTime end = loop_.clock_now() + kHandshakesTime;
  do {
    const auto found = connections_.find(handshakes_.front());
    handshakes_.pop_front();
    if (found != connections_.end()) found->second->shake_hands();
  } while (!handshakes_.empty() && loop_.clock_now() < end);
  if (!handshakes_.empty()) loop_.hurry();
}

const Route* HttpServer::find_route(const HttpHead& head, std::string& allowed) const {
  for (const Route& route : routes_) {
    if (route.path != head.path) continue;
    if (route.method == head.method) return &route;
    allowed += (allowed.empty() ? "" : ", ") + route.method;
  }
  return nullptr;
}

void HttpServer::forget(std::uint64_t connection) {
  const auto found = connections_.find(connection);
  if (found == connections_.end()) return;
  loop_.retire(std::move(found->second));
  connections_.erase(found);
}

void HttpServer::count_answer(int status) {
  telemetry::Counter*& cell = answered_[status];
  if (cell == nullptr)
    cell = &metrics_.counter("carillon_http_responses_total", "HTTP answers by status",
                             {{"status", std::to_string(status)}});
  cell->add();
}

void Responder::respond(const HttpResponse& response) const {
  const auto found = server_->connections_.find(connection_);
  if (found != server_->connections_.end()) found->second->respond(response);
}

}  // namespace carillon::net
