#include "app/tail_command.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <random>
#include <utility>

#include "app/complaint.hpp"
#include "app/server_access.hpp"
#include "app/tail_stream.hpp"
#include "app/websocket_client.hpp"
#include "base/backoff.hpp"
#include "protocol/close_code.hpp"

namespace carillon::app {
namespace {

using protocol::CloseCode;

// A connection that lasted as long was a good one: the next wait is short again.
constexpr milliseconds kGoodConnection{5000};

// Whether coming back with the same token cannot help (protocol 7).
bool is_final(std::uint16_t code) {
  switch (CloseCode{code}) {
    case CloseCode::protocol_error:
    case CloseCode::unsupported_data:
    case CloseCode::invalid_utf8:
    case CloseCode::policy_violation:
    case CloseCode::too_large:
    case CloseCode::malformed_messages:
    case CloseCode::bad_token:
    case CloseCode::not_allowed:
    case CloseCode::revoked:
      return true;
    default:
      return false;
  }
}

class Tail {
 public:
  Tail(ResolvedAccess access, const TailCommand& command)
      : access_(std::move(access)),
        carrier_(command.carrier),
        wants_snapshot_(command.wants_snapshot),
        stream_(command.as_json, Palette::for_output(STDOUT_FILENO), command.from),
        backoff_({}, std::random_device()()) {}

  int run();

 private:
  enum class Outcome : std::uint8_t { again, interrupted, failed };

  Outcome connect_and_follow();
  Outcome follow(WebSocketClient& client);
  // False: nobody reads what is printed.
  bool react(WebSocketClient& client, const std::string& message);
  Outcome closed(const WebSocketClient::Event& event);
  void say(const std::string& what) const { std::fprintf(stderr, "%s\n", what.c_str()); }

  ResolvedAccess access_;
  websocket::Carrier carrier_;
  bool wants_snapshot_;
  Interrupt interrupt_;
  TailStream stream_;
  Backoff backoff_;
  milliseconds retry_after_{};
  bool has_reached_server_ = false;  // who mistyped an address is told at once
};

int Tail::run() {
  for (;;) {
    switch (connect_and_follow()) {
      case Outcome::interrupted:
        return kExitOk;
      case Outcome::failed:
        return kExitFailed;
      case Outcome::again:
        break;
    }
    const milliseconds wait = std::max(backoff_.next(), std::exchange(retry_after_, milliseconds{0}));
    if (interrupt_.wait(wait) == Interrupt::Waited::interrupted) return kExitOk;
  }
}

Tail::Outcome Tail::connect_and_follow() {
  const auto fail_with = [](const std::string& why) {
    complain(why);
    return Outcome::failed;
  };
  const auto token = access_.current_token();
  if (!token) return fail_with(token.error().message);
  const StreamRequest request{
      .token = *token, .carrier = carrier_, .resume = stream_.position(), .wants_snapshot = wants_snapshot_};
  auto client = WebSocketClient::open(access_.server, access_.ca_file, request, interrupt_);
  if (interrupt_.is_raised()) return Outcome::interrupted;
  has_reached_server_ = has_reached_server_ || client || client.error().status != 0;
  if (!client) {
    if (client.error().is_final || !has_reached_server_) return fail_with(client.error().why);
    retry_after_ = client.error().retry_after;
    say(for_terminal(client.error().why) + "; trying again");
    return Outcome::again;
  }
  const MonoTime start = SystemClock().mono_now();
  stream_.begin_connection();
  const Outcome outcome = follow(*client);
  if (SystemClock().mono_now() - start > kGoodConnection) backoff_.reset();
  return outcome;
}

Tail::Outcome Tail::follow(WebSocketClient& client) {
  // Asked at each message, because a stream that never pauses never waits.
  while (!interrupt_.is_raised()) {
    const auto event = client.next(stream_.silence_max());
    if (event.kind == WebSocketClient::Kind::closed) return closed(event);
    if (event.kind == WebSocketClient::Kind::nothing) break;
    if (!react(client, event.text)) return Outcome::failed;
  }
  client.send_close(static_cast<std::uint16_t>(CloseCode::normal));
  if (interrupt_.is_raised()) return Outcome::interrupted;
  say("nothing came from the server for too long; trying again");
  return Outcome::again;
}

bool Tail::react(WebSocketClient& client, const std::string& message) {
  const TailStream::Reaction reaction = stream_.take(message);
  if (!reaction.answer.empty()) client.send_text(reaction.answer);
  if (!reaction.notice.empty()) say(reaction.notice);
  if (reaction.print.empty()) return true;
  return std::puts(reaction.print.c_str()) >= 0 && std::fflush(stdout) == 0;
}

Tail::Outcome Tail::closed(const WebSocketClient::Event& event) {
  const std::string why = "closed with " + std::to_string(event.code) + " " + for_terminal(event.text);
  if (is_final(event.code)) {
    complain(stream_.refusal().empty() ? why : "the token was refused: " + stream_.refusal());
    return Outcome::failed;
  }
  retry_after_ = stream_.retry_after();
  say(why + "; trying again");
  return Outcome::again;
}

}  // namespace

int run(const TailCommand& command) {
  auto access = resolve_access(command.server, "alice");
  if (!access) return complain(access.error().message);
  return Tail(std::move(*access), command).run();
}

}  // namespace carillon::app
