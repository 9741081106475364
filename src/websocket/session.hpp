#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/token_fault.hpp"
#include "event/place.hpp"
#include "event/principal.hpp"
#include "hub/hub.hpp"
#include "net/address.hpp"
#include "net/connection_slot.hpp"
#include "net/stream.hpp"
#include "protocol/client_message.hpp"
#include "protocol/close_code.hpp"
#include "protocol/server_message.hpp"
#include "runtime/loop.hpp"
#include "websocket/frame_reader.hpp"
#include "websocket/rate_limit.hpp"
#include "websocket/receipts.hpp"
#include "websocket/upgrade.hpp"

namespace carillon::websocket {

class WebSocketServer;

// One WebSocket connection, from the 101 to the end of TCP. Reads what the client says, answers it, and writes what the
// hub has for its user: all that waits goes out in one write, and while the kernel takes no more, what waits stays in
// the hub's window and costs this session a number.
//
// Invariants:
// 1. Before authentication nothing but the answer to it is sent (protocol 2.3).
// 2. auth_ok is the first message of a live session (2.4). While the node still reads its log, or asks it whether it is
//    as far as the client says, the session waits, and what the client says meanwhile is not looked at.
// 3. Nothing follows our close frame (RFC 6455 5.5.1).
// Shard-confined; owned by the WebSocketServer.
class Session final : public runtime::ReadyHandler, public runtime::TimerHandler, public runtime::Retirable {
 public:
  Session(WebSocketServer& server, std::uint64_t id, net::Stream&& stream, net::ConnectionSlot slot,
          const net::IpAddress& client);
  ~Session() override;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Answers the upgrade and begins; `early_bytes` came behind the request. `verdict` is what became of the token, where
  // it came with the request.
  void begin(const UpgradePlan& plan, std::optional<std::expected<Principal, auth::TokenFault>> verdict,
             std::string_view early_bytes);

  // Writes what waits, up to about 64 KiB: in one write, or in many small ones while it has not caught up since it was
  // blocked. With more to write it has its turn again. At the end of the turn, and when there is room again.
  void pump();

  // The node has read its log: begins, if it waited for that, or asks first.
  void enter();
  // What the log answered to WebSocketServer::ask_whether_reached().
  void on_answer(const Place& place, const Result<bool>& reached);

  // Sends shutting_down and closes with 1012 (protocol 7.3), when its time comes: `after` from now.
  void drain(milliseconds after, milliseconds retry_after);

 private:
  enum class State : std::uint8_t { awaiting_token, awaiting_log, live, closing, closed };

  // This session as the hub knows it.
  struct Subscription final : hub::Subscriber {
    Subscription(Session& s, UserId user, Grants grants) : hub::Subscriber(std::move(user), grants), session(s) {}
    void on_publications(std::uint64_t bytes) override { session.on_publications(bytes); }
    Session& session;
  };

  // What the client asked for, until it has it (protocol 6).
  struct Asked {
    std::optional<std::string> resume;
    bool wants_snapshot = true;
  };

  void on_ready(std::uint32_t events) override;
  void on_timer() override;

  // input
  void receive();
  void discard();
  void take(std::string_view bytes);
  void take_item(const FrameReader::Item& item);
  void take_message(std::string_view text);
  void take_client_message(const protocol::ClientMessage& message);
  void take_token(const protocol::AuthToken& auth);
  void take_receipt(const std::string& position);
  [[nodiscard]] bool is_within_rate(RateLimit& limit, bool may_warn);
  void answer_invalid(std::string_view code, std::string_view why, milliseconds retry_after = milliseconds{0});

  // life
  void accept(const Principal& principal);
  void refuse_token(const auth::TokenFault& fault);
  void refresh(const Principal& principal);
  [[nodiscard]] bool is_catching_up() const { return state_ == State::live && subscription_->is_catching_up(); }
  void begin_subscription(const hub::Beginning& beginning);
  void watch_expiry(const Principal& principal, std::optional<protocol::Resumption> resume = std::nullopt);
  void on_publications(std::uint64_t bytes);
  void check_queue();
  void check_deadlines(MonoTime now);
  void check_token();
  void arm_timer();

  // output
  struct Written {
    std::size_t bytes = 0;
    bool has_more = false;
  };
  Written write_once(std::size_t notification_bytes_max);
  hub::Reading read_notifications(std::size_t bytes_max, std::string& out);
  void send_text(std::string_view json);
  void close(protocol::CloseCode code, std::string_view why);
  void count_end(std::string_view code);
  void leave();
  void finish();
  void die();
  void watch_for_unsent();

  // What each delivery looks at comes first and together: with thousands of sessions it comes from memory each time,
  // and the hub has it fetched ahead.
  std::optional<Subscription> subscription_;
  WebSocketServer& server_;
  net::Stream stream_;
  std::string control_;  // frames that go out before any notification that waits; bounded by the input limits
  std::unique_ptr<Receipts> receipts_;        // of a client that sends some
  std::uint64_t delivered_ = 0;               // notifications written on this connection
  std::uint64_t waiting_bytes_ = 0;           // in the hub, for us
  MonoTime blocked_since_ = MonoTime::max();  // the kernel took no more
  std::uint32_t watched_ = 0;
  State state_ = State::awaiting_token;
  bool pong_due_ = false;
  bool beat_due_ = false;
  bool is_narrow_ = false;  // it was blocked, and has not caught up since
  bool close_seen_ = false;

  bool expiry_told_ = false;
  bool rate_warned_ = false;
  bool is_queued_ = false;   // in the server's list for the end of this turn
  bool is_resting_ = false;  // in the server's list of those with more to write
  const std::uint64_t id_;
  net::ConnectionSlot slot_;
  const net::IpAddress client_;
  FrameReader reader_;
  runtime::Timer timer_;
  std::unique_ptr<Asked> asked_;
  std::unique_ptr<Principal> waiting_;  // while awaiting the log
  std::string pong_;                    // the latest ping's data; older ones need no answer (RFC 6455 5.5.3)
  std::vector<MonoTime> invalid_at_;    // of the last messages that were not of the form
  RateLimit messages_;
  RateLimit pings_;
  std::size_t discarded_ = 0;  // input thrown away since we closed
  WallTime expires_at_{};
  MonoTime began_;
  MonoTime heard_at_;                     // any message, pong or other sign of life
  MonoTime next_beat_ = MonoTime::max();  // heartbeat
  MonoTime mid_message_since_ = MonoTime::max();
  MonoTime caught_up_at_;  // from when on the age of what waits counts
  MonoTime drain_at_ = MonoTime::max();
  MonoTime give_up_at_ = MonoTime::max();  // the end of closing
  milliseconds retry_after_{0};

  friend class WebSocketServer;
};

}  // namespace carillon::websocket
