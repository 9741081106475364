#include "websocket/session.hpp"

#include <algorithm>
#include <utility>

#include "event/place.hpp"
#include "event/position.hpp"
#include "protocol/server_message.hpp"
#include "protocol/text_frame.hpp"
#include "telemetry/log.hpp"
#include "websocket/websocket_server.hpp"

namespace carillon::websocket {

using protocol::CloseCode;
using protocol::Opcode;
using telemetry::Level;

namespace {

constexpr milliseconds kMessageTimeout{10000};      // from the first byte of a message to its last
constexpr milliseconds kCloseTimeout{2000};         // for the peer's close frame
constexpr milliseconds kBlockedCloseTimeout{5000};  // where our close frame waits behind what the peer does not read
constexpr milliseconds kGoneTimeout{1000};          // for the peer's FIN after both close frames
constexpr milliseconds kExpiryNotice{60000};        // protocol 2.7
constexpr milliseconds kLookAgain{1000};            // at a drain or an end, where nothing else is awaited
constexpr unsigned kPrivateCodesBegin = 3000;       // RFC 6455 7.4.2: a peer may send any of 2000
constexpr std::uint32_t kPingsPerSecond = 5, kPingBurst = 10;
constexpr float kGraceAfterWarning = 10;
constexpr std::size_t kInvalidMax = 10;  // within a minute (protocol 3.4)
constexpr std::chrono::seconds kInvalidWindow{60};
// What one write gathers: four TLS records, so that a client that catches up does not hold up the others.
constexpr std::size_t kWriteBytes = 64 * 1024;
// And to a client that was blocked and has not all yet: what the kernel refuses of a write has to be kept.
constexpr std::size_t kNarrowWriteBytes = 512;
constexpr std::size_t kControlBytesMax = 64 * 1024;
constexpr std::size_t kDiscardedBytesMax = 256 * 1024;  // a peer that goes on and on after our close frame

std::string hex(std::uint64_t value) {
  std::string text;
  for (int shift = 60; shift >= 0; shift -= 4) text.push_back("0123456789abcdef"[value >> shift & 15]);
  return text;
}

}  // namespace

Session::Session(WebSocketServer& server, std::uint64_t id, net::Stream&& stream, net::ConnectionSlot slot,
                 const net::IpAddress& client)
    : server_(server),
      stream_(std::move(stream)),
      id_(id),
      slot_(std::move(slot)),
      client_(client),
      reader_(FrameReader::Peer::client, {.message_bytes_max = server.options_.message_bytes_max, .fragments_max = 16}),
      timer_(*this),
      messages_(server.options_.messages_per_second_max, server.options_.messages_per_second_max * 5 / 2,
                server.loop_.now()),
      pings_(kPingsPerSecond, kPingBurst, server.loop_.now()),
      began_(server.loop_.now()),
      heard_at_(began_) {
  server_.counters_.open.add(1);
}

Session::~Session() {
  server_.counters_.open.add(-1);
  if ((watched_ & EPOLLOUT) != 0) server_.counters_.behind.add(-1);
  server_.loop_.unwatch(stream_.fd(), *this);
}

void Session::begin(const UpgradePlan& plan, std::optional<std::expected<Principal, auth::TokenFault>> verdict,
                    std::string_view early_bytes) {
  watched_ = EPOLLIN;
  if (!server_.loop_.watch(stream_.fd(), watched_, *this)) return die();
  if (stream_.write(encode_switching(plan)) == net::Stream::Status::failed) return die();
  asked_ = std::make_unique<Asked>(plan.resume, plan.wants_snapshot);
  if (verdict && *verdict) accept(**verdict);
  if (verdict && !*verdict) refuse_token(verdict->error());
  arm_timer();
  if (!early_bytes.empty()) take(early_bytes);
}

void Session::on_ready(std::uint32_t events) {
  if (state_ == State::closed) return;
  if ((events & EPOLLOUT) != 0) {
    if (stream_.flush() == net::Stream::Status::failed) return die();
    if (!stream_.has_unsent()) is_catching_up() ? server_.rest(*this) : pump();
    watch_for_unsent();
  }
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && state_ != State::closed) receive();
}

void Session::receive() {
  if (state_ == State::closing && close_seen_ && control_.empty()) return discard();
  std::string& input = server_.input_;
  input.clear();
  const net::Stream::Status status = stream_.read(input);
  if (!input.empty()) take(input);
  if (state_ == State::closed) return;
  if (status == net::Stream::Status::closed || status == net::Stream::Status::failed) return die();
  watch_for_unsent();
}

// Nothing that still comes matters, but for its end.
void Session::discard() {
  std::size_t bytes = 0;
  const net::Stream::Status status = stream_.discard(bytes);
  discarded_ += bytes;
  if (status != net::Stream::Status::ok || discarded_ > kDiscardedBytesMax) die();
}

void Session::take(std::string_view bytes) {
  if (state_ == State::closing) {
    discarded_ += bytes.size();
    if (discarded_ > kDiscardedBytesMax) return die();
    if (close_seen_) return;
  }
  bool completed = false;  // a control frame in the middle of a message does not give it more time
  while (state_ != State::closed && !close_seen_) {
    const FrameReader::Item item = reader_.next(bytes);
    if (item.kind == FrameReader::Kind::need_more) break;
    completed = completed || item.kind == FrameReader::Kind::message;
    take_item(item);
  }
  if (state_ == State::closed) return;
  const bool mid = reader_.is_mid_message();
  if (!mid) {
    mid_message_since_ = MonoTime::max();
  } else if (completed || mid_message_since_ == MonoTime::max()) {
    mid_message_since_ = server_.loop_.now();
    arm_timer();
  }
}

// Once we have closed, only the peer's close frame still matters.
void Session::take_item(const FrameReader::Item& item) {
  using Kind = FrameReader::Kind;
  if (item.kind == Kind::close) {
    close_seen_ = true;
    return state_ == State::closing ? finish() : close(static_cast<CloseCode>(item.code), {});
  }
  if (item.kind == Kind::fault) {
    close_seen_ = true;  // what follows a fault cannot be understood
    if (state_ != State::closing) close(static_cast<CloseCode>(item.code), item.why);
    return;
  }
  heard_at_ = server_.loop_.now();
  if (state_ == State::closing || state_ == State::awaiting_log) return;
  if (item.kind == Kind::message) return take_message(item.data);
  if (item.kind == Kind::pong) {
    (void)is_within_rate(messages_, false);
    return;
  }
  if (!is_within_rate(pings_, false) || state_ != State::live) return;
  pong_ = item.data;
  pong_due_ = true;
  server_.queue(*this);
}

// False: one too many. Closes with 4429 at once, or for messages first warns and lets a few more pass unanswered.
bool Session::is_within_rate(RateLimit& limit, bool may_warn) {
  const float left = limit.count(server_.loop_.now());
  if (left >= 0) {
    rate_warned_ = false;
    return true;
  }
  if (!may_warn || left < -kGraceAfterWarning) {
    close(CloseCode::too_many, "too many messages; retry_after_ms=5000");
    close_seen_ = true;  // it has said enough
  } else if (!std::exchange(rate_warned_, true)) {
    answer_invalid("too_many", "too many messages; slow down or be disconnected", milliseconds{1000});
  }
  return false;
}

void Session::take_message(std::string_view text) {
  if (!is_within_rate(messages_, state_ == State::live)) return;
  const auto message = protocol::parse_client_message(text);
  if (state_ == State::awaiting_token) {
    const auto* const auth = message ? std::get_if<protocol::AuthToken>(&*message) : nullptr;
    if (auth == nullptr) return refuse_token({"missing_token", "the first message must carry the token"});
    return take_token(*auth);
  }
  if (!message) return answer_invalid(message.error().code, message.error().message);
  take_client_message(*message);
}

void Session::take_client_message(const protocol::ClientMessage& message) {
  if (const auto* const auth = std::get_if<protocol::AuthToken>(&message)) return take_token(*auth);
  if (const auto* const receipt = std::get_if<protocol::Received>(&message)) return take_receipt(receipt->id);
  if (std::holds_alternative<protocol::Ping>(message)) send_text(protocol::encode_pong(server_.loop_.wall_now()));
  // A pong has done its work by arriving.
}

void Session::take_token(const protocol::AuthToken& auth) {
  auto verdict = server_.verifier_->verify(auth.token, server_.loop_.wall_now());
  if (!verdict) return refuse_token(verdict.error());
  if (state_ == State::live) return refresh(*verdict);
  if (auth.resume) asked_->resume = auth.resume;
  asked_->wants_snapshot = asked_->wants_snapshot && auth.snapshot;
  accept(*verdict);
}

// Protocol 6.5. A receipt of what was not sent is a lie or a mix-up, and moves nothing (cases.md J17).
void Session::take_receipt(const std::string& position) {
  const auto place = server_.positions_.locate(position);
  if (!place || !server_.hub_.place_of(*subscription_).covers(*place)) {
    server_.count("carillon_invalid_messages_total", "client messages refused, by code", "code", "bad_receipt");
    return close(CloseCode::malformed_messages, "a receipt of what was not sent");
  }
  if (receipts_ == nullptr) receipts_ = std::make_unique<Receipts>();
  const auto written_at = receipts_->received(*place);
  const Publication* const publication = server_.hub_.window().find(*place);
  if (!written_at || publication == nullptr) return;
  if (may_see(subscription_->user(), subscription_->grants(), *publication))
    server_.latency_.received(publication->kind, server_.loop_.clock_now() - *written_at);
}

void Session::answer_invalid(std::string_view code, std::string_view why, milliseconds retry_after) {
  server_.count("carillon_invalid_messages_total", "client messages refused, by code", "code", code);
  const MonoTime now = server_.loop_.now();
  std::erase_if(invalid_at_, [&](MonoTime at) { return now - at >= kInvalidWindow; });
  if (invalid_at_.size() >= kInvalidMax) return close(CloseCode::malformed_messages, "too many malformed messages");
  invalid_at_.push_back(now);
  send_text(protocol::encode_error("invalid_message", code, why, server_.loop_.wall_now(), retry_after));
}

void Session::accept(const Principal& principal) {
  if (!server_.users_.take(principal.user_id))
    return close(CloseCode::too_many, "too many connections of this user; retry_after_ms=5000");
  subscription_.emplace(*this, principal.user_id, principal.grants);
  state_ = State::awaiting_log;
  waiting_ = std::make_unique<Principal>(principal);
  if (server_.is_open_) enter();
}

void Session::enter() {
  if (state_ != State::awaiting_log) return;
  if (!asked_->resume) return begin_subscription({.wants_snapshot = asked_->wants_snapshot});
  auto place = server_.positions_.locate(*asked_->resume);
  if (place && !server_.hub_.window().has_reached(*place)) return server_.ask_whether_reached(*this, *place);
  begin_subscription({.resume = std::move(place), .wants_snapshot = asked_->wants_snapshot});
}

void Session::on_answer(const Place& place, const Result<bool>& reached) {
  if (state_ != State::awaiting_log) return;
  // To call it a gap would be a guess. Another node may have the place, or this one a moment later.
  if (!reached) return close(CloseCode::overloaded, "this node is behind and cannot reach the log");
  hub::Beginning beginning{.resume = place, .wants_snapshot = asked_->wants_snapshot};
  if (!*reached) beginning.resume = std::unexpected(GapReason::unknown);
  begin_subscription(beginning);
}

void Session::begin_subscription(const hub::Beginning& beginning) {
  const auto principal = std::exchange(waiting_, nullptr);
  state_ = State::live;
  server_.counters_.live.add(1);
  const MonoTime now = server_.loop_.now();
  heard_at_ = now;
  const milliseconds interval = server_.options_.heartbeat_interval;
  // The first beat comes early by chance, so that clients that came together do not beat together.
  next_beat_ = now + interval - server_.random_up_to(interval / 2);
  telemetry::log(Level::info, "session started",
                 {{"session", hex(id_)}, {"user", principal->user_id}, {"client", client_.text()}});
  const auto asked = std::exchange(asked_, nullptr);
  const auto gap = server_.hub_.subscribe(*subscription_, beginning, server_.loop_.clock_now());
  std::optional<protocol::Resumption> resume;
  if (asked->resume) {
    resume.emplace(*asked->resume, gap);
    server_.count("carillon_resumes_total", "sessions that named a position, by what became of it", "result",
                  gap ? to_string(*gap) : "complete");
  }
  watch_expiry(*principal, resume);
  server_.rest(*this);
}

void Session::refresh(const Principal& principal) {
  if (principal.user_id != subscription_->user())
    return close(CloseCode::not_allowed, "the new token is another user's");
  subscription_->set_grants(principal.grants);
  watch_expiry(principal);
}

void Session::watch_expiry(const Principal& principal, std::optional<protocol::Resumption> resume) {
  expires_at_ = principal.expires_at;
  expiry_told_ = false;
  send_text(protocol::encode_auth_ok({.session_id = hex(id_),
                                      .principal = principal,
                                      .heartbeat_interval = server_.options_.heartbeat_interval,
                                      .heartbeat_timeout = server_.options_.heartbeat_timeout,
                                      .resume = resume},
                                     server_.loop_.wall_now()));
  arm_timer();
}

void Session::refuse_token(const auth::TokenFault& fault) {
  server_.count("carillon_auth_failed_total", "tokens refused, by code", "code", fault.code);
  send_text(protocol::encode_error("auth_failed", fault.code, fault.message, server_.loop_.wall_now()));
  close(fault.code == "timeout" ? CloseCode::no_token_in_time : CloseCode::bad_token, fault.code);
}

void Session::on_publications(std::uint64_t bytes) {
  if (is_catching_up()) return;  // has its turns, and comes to these in them
  waiting_bytes_ += bytes;
  pump();
  if (state_ == State::live) check_queue();
}

// Protocol 7.2: too much waits for this client, or for too long. Nothing is lost; it resumes from its position.
void Session::check_queue() {
  if (!stream_.has_unsent()) return;
  const Options& options = server_.options_;
  // One that catches up is paced, and has until the window moves past it.
  const bool too_much =
      !is_catching_up() && waiting_bytes_ + stream_.unsent_bytes() + control_.size() > options.queue_bytes_max;
  const MonoTime now = server_.loop_.now();
  bool too_old = blocked_since_ != MonoTime::max() && now - blocked_since_ > options.queue_age_max;
  if (!too_much && !too_old && waiting_bytes_ > 0) {
    const auto oldest = server_.hub_.oldest_waiting(*subscription_);
    too_old = oldest && server_.loop_.clock_now() - std::max(*oldest, caught_up_at_) > options.queue_age_max;
  }
  if (!too_much && !too_old) return;
  close(CloseCode::too_slow, too_much ? "too much waits for this client" : "messages wait too long for this client");
}

void Session::pump() {
  if (state_ == State::closed) return;
  Written last{.has_more = true};
  for (std::size_t bytes = 0; last.has_more && !stream_.has_unsent() && bytes < kWriteBytes; bytes += last.bytes) {
    last = write_once(is_narrow_ ? kNarrowWriteBytes : kWriteBytes);
    if (state_ == State::closed) return;
    if (!is_narrow_ || last.bytes == 0) break;
  }
  if (stream_.has_unsent())
    is_narrow_ = true;
  else if (last.has_more)
    server_.rest(*this);
  else
    is_narrow_ = false;
  if (state_ == State::closing && close_seen_ && control_.empty()) return finish();
  watch_for_unsent();
}

// Everything that waits, up to about so many bytes of notifications.
Session::Written Session::write_once(std::size_t notification_bytes_max) {
  std::string& out = server_.scratch_;
  out.clear();
  if (!control_.empty()) out.swap(control_);
  if (std::exchange(pong_due_, false)) protocol::append_frame(out, Opcode::pong, pong_);
  hub::Reading reading{.at_end = true};
  if (state_ == State::live) {
    reading = read_notifications(notification_bytes_max, out);
    if (reading.gap) {
      out.swap(control_);  // what was to go out before still does
      close(CloseCode::too_slow, "what this client waits for has left the window");
      return {};
    }
  }
  if (!out.empty()) {
    server_.counters_.bytes.add(out.size());
    if (stream_.write(out) == net::Stream::Status::failed) die();
  }
  return {.bytes = out.size(), .has_more = !reading.at_end};
}

// Appends the notifications that come next, the end of catching up, and a heartbeat that is due.
hub::Reading Session::read_notifications(std::size_t bytes_max, std::string& out) {
  hub::Hub& hub = server_.hub_;
  const std::size_t before = out.size();
  server_.reading_at_ = server_.loop_.clock_now();
  const hub::Reading reading = hub.read(*subscription_, bytes_max, out, &server_);
  if (reading.gap) return reading;
  delivered_ += reading.count;
  waiting_bytes_ = reading.at_end ? 0 : waiting_bytes_ - std::min(waiting_bytes_, out.size() - before);
  server_.counters_.notifications.add(reading.count);
  if (receipts_ != nullptr && reading.count > 0) receipts_->wrote(hub.place_of(*subscription_), server_.reading_at_);
  const WallTime wall = server_.loop_.wall_now();
  if (reading.is_live) {
    caught_up_at_ = server_.loop_.now();
    protocol::append_text_frame(out, protocol::encode_live(hub.position_of(*subscription_), reading.replayed, wall));
  }
  if (subscription_->has_position() && std::exchange(beat_due_, false))
    protocol::append_text_frame(out, protocol::encode_ping(hub.position_of(*subscription_), delivered_, wall));
  return reading;
}

void Session::send_text(std::string_view json) {
  protocol::append_text_frame(control_, json);
  server_.queue(*this);
  if (control_.size() > kControlBytesMax) close(CloseCode::too_slow, "answers wait too long for this client");
}

void Session::close(CloseCode code, std::string_view why) {
  if (state_ == State::closing || state_ == State::closed) return;
  const bool by_peer = close_seen_ && why.empty();
  telemetry::log(Level::info, by_peer ? "session closed by client" : "session closed",
                 {{"code", static_cast<unsigned>(code)},
                  {"reason", why},
                  {"session", hex(id_)},
                  {"user", subscription_ ? subscription_->user() : UserId{}},
                  {"client", client_.text()},
                  {"delivered", delivered_}});
  count_end(by_peer && static_cast<unsigned>(code) >= kPrivateCodesBegin ? "private"
                                                                         : std::to_string(static_cast<unsigned>(code)));
  if (code == CloseCode::too_slow && !by_peer) server_.counters_.slow.add();
  if (state_ == State::live || state_ == State::awaiting_log) leave();
  state_ = State::closing;
  pong_due_ = beat_due_ = false;
  // 1005 says that the peer gave no code; it may not be sent, so our answer has none either.
  if (static_cast<unsigned>(code) == 1005)
    protocol::append_frame(control_, Opcode::close, {});
  else
    append_close_frame(control_, code, why);
  give_up_at_ = server_.loop_.now() + (stream_.has_unsent() ? kBlockedCloseTimeout : kCloseTimeout);
  server_.queue(*this);
  arm_timer();
}

void Session::count_end(std::string_view code) {
  server_.count("carillon_sessions_closed_total", "WebSocket connections closed, by close code", "code", code);
}

// The user's session ends, once.
void Session::leave() {
  server_.users_.give_back(subscription_->user());
  if (state_ != State::live) return;
  server_.hub_.unsubscribe(*subscription_);
  server_.counters_.live.add(-1);
}

// Both close frames are on their way, so the server ends TCP (RFC 6455 7.1.1).
void Session::finish() {
  if (!control_.empty()) return server_.queue(*this);
  if (stream_.has_unsent()) return;  // comes back when the kernel took it
  stream_.finish_writing();
  give_up_at_ = server_.loop_.now() + kGoneTimeout;
  arm_timer();
}

void Session::die() {
  if (state_ == State::closed) return;
  if (state_ == State::live || state_ == State::awaiting_log) {
    leave();
    telemetry::log(Level::info, "session lost",
                   {{"session", hex(id_)},
                    {"user", subscription_->user()},
                    {"client", client_.text()},
                    {"delivered", delivered_}});
    count_end("1006");
  }
  state_ = State::closed;
  timer_.disarm();
  server_.forget(*this);
}

void Session::drain(milliseconds after, milliseconds retry_after) {
  drain_at_ = server_.loop_.now() + after;
  retry_after_ = retry_after;
  arm_timer();
}

void Session::watch_for_unsent() {
  if (state_ == State::closed) return;
  const bool unsent = stream_.has_unsent();
  if (!unsent) blocked_since_ = MonoTime::max();
  const std::uint32_t wanted = EPOLLIN | (unsent ? EPOLLOUT : 0U);
  if (wanted == watched_) return;
  watched_ = wanted;
  server_.loop_.rewatch(stream_.fd(), watched_, *this);
  server_.counters_.behind.add(unsent ? 1 : -1);
  if (!unsent) return;
  blocked_since_ = server_.loop_.now();
  arm_timer();
}

void Session::on_timer() {
  check_deadlines(server_.loop_.now());
  if (state_ != State::closed) arm_timer();
}

void Session::check_deadlines(MonoTime now) {
  const Options& options = server_.options_;
  if (state_ == State::closing) {
    if (now >= give_up_at_) die();
    return;
  }
  if (mid_message_since_ != MonoTime::max() && now - mid_message_since_ >= kMessageTimeout)
    return close(CloseCode::policy_violation, "a message was begun and not finished");
  if (now >= drain_at_) {
    if (state_ == State::live) send_text(protocol::encode_shutting_down(retry_after_, server_.loop_.wall_now()));
    return close(CloseCode::restart, "this node is shutting down");
  }
  if (state_ == State::awaiting_token) {
    if (now - began_ >= options.token_timeout) refuse_token({"timeout", "no token came in time"});
    return;
  }
  if (state_ == State::awaiting_log) return;
  if (now - heard_at_ >= options.heartbeat_interval + options.heartbeat_timeout)
    return close(CloseCode::heartbeat_timeout, "nothing was heard from this client");
  check_token();
  if (state_ != State::live) return;
  check_queue();
  if (state_ != State::live || now < next_beat_) return;
  next_beat_ = std::max(next_beat_ + options.heartbeat_interval, now + options.heartbeat_interval / 2);
  beat_due_ = true;
  server_.queue(*this);
}

// By the wall clock at each look, so that a clock that was set is obeyed.
void Session::check_token() {
  const WallTime wall = server_.loop_.wall_now();
  if (wall >= expires_at_ + server_.options_.token_leeway)
    return close(CloseCode::token_expired, "the token has expired");
  if (wall < expires_at_ - kExpiryNotice || std::exchange(expiry_told_, true)) return;
  send_text(protocol::encode_auth_expiring(expires_at_, wall));
}

void Session::arm_timer() {
  if (state_ == State::closed) return;
  const Options& options = server_.options_;
  const MonoTime now = server_.loop_.now();
  MonoTime next = give_up_at_;
  if (state_ != State::closing) {
    if (mid_message_since_ != MonoTime::max()) next = std::min(next, mid_message_since_ + kMessageTimeout);
    next = std::min(next, drain_at_);
  }
  if (state_ == State::awaiting_log) next = std::min(next, now + kLookAgain);
  if (state_ == State::awaiting_token) next = std::min(next, began_ + options.token_timeout);
  if (state_ == State::live) {
    next = std::min({next, next_beat_, heard_at_ + options.heartbeat_interval + options.heartbeat_timeout});
    const WallTime wall = server_.loop_.wall_now();
    const auto expiry = expiry_told_ ? expires_at_ + options.token_leeway : expires_at_ - kExpiryNotice;
    next = std::min(next, now + std::clamp(expiry - wall, milliseconds{0}, milliseconds{3'600'000}));
    if (stream_.has_unsent()) next = std::min(next, now + milliseconds{500});
  }
  const auto wait = std::chrono::ceil<milliseconds>(next - now);
  server_.loop_.arm(timer_, std::max(wait, milliseconds{0}));
}

}  // namespace carillon::websocket
