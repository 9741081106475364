#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "load/connection.hpp"
#include "websocket/frame_reader.hpp"

namespace carillon::bench {

// One WebSocket client with its token in the upgrade request (protocol 2.2a). It keeps the last position it handled and
// resumes from it when opened again, answers pings, and holds the marks and counts of the server against its own
// (protocol 4.2, 6.2). Confined to its loop's thread.
class StreamClient final : Connection::Owner {
 public:
  // A ping of the server (protocol 4.2): what it counted, and what this client did, on this connection.
  struct Heartbeat {
    std::uint64_t delivered;
    std::uint64_t counted;
  };
  // How a connection ended; `code` is that of the server's close frame, 0 without one.
  struct Ending {
    std::uint16_t code;
    std::string_view why;
  };

  class Owner {
   public:
    virtual void on_connected(std::uint32_t client) = 0;  // TLS is done
    // auth_ok is here. `gap`: the answer to the position asked for was `complete: false`, for that reason.
    virtual void on_accepted(std::uint32_t client, std::optional<std::string_view> gap) = 0;
    virtual void on_notification(std::uint32_t client, std::string_view text) = 0;
    virtual void on_live(std::uint32_t client, std::uint64_t replayed) = 0;
    virtual void on_heartbeat(std::uint32_t client, const Heartbeat& heartbeat) = 0;
    // The server said something it should not have.
    virtual void on_fault(std::uint32_t client, std::string_view what) = 0;
    virtual void on_end(std::uint32_t client, const Ending& ending) = 0;  // last call; not after close()
    virtual void on_room(std::uint32_t) {}                                // after ask_for_more()

   protected:
    ~Owner() = default;
  };

  StreamClient(std::uint32_t number, runtime::Loop& loop, ConnectionRoom& room, Owner& owner)
      : number_(number), owner_(owner), connection_(loop, room, *this) {}

  // Again after it was closed or has ended, but not from within the owner's callbacks. Resumes when position() is not
  // empty.
  [[nodiscard]] Result<> open(const Target& target, const std::string& token, Link link = Link::local);
  void close() { connection_.close(); }
  // Between the two nothing is read, and so no ping answered.
  void pause() { connection_.pause(); }
  void go_on() { connection_.go_on(); }
  // Frames beside those that the protocol asks of a client; and being asked for them, by on_room(), whenever the kernel
  // takes more.
  void send(std::string_view frames) { connection_.send(frames); }
  void ask_for_more() { connection_.ask_for_more(); }

  // Up to where everything is handled: the last notification, or what the server said to be complete
  // (protocol 4.2, 6.2).
  [[nodiscard]] const std::string& position() const { return position_; }
  // Forgets it: the next open() asks for the snapshot (protocol 6.3).
  void begin_anew() {
    position_.clear();
    wants_snapshot_ = true;
  }
  void set_position(std::string position) { position_ = std::move(position); }
  [[nodiscard]] bool is_closed() const { return connection_.is_closed(); }
  // Whether TLS was resumed with a ticket; as Connection has it.
  [[nodiscard]] bool is_resumed() const { return connection_.is_resumed(); }

 private:
  void on_open() override;
  void on_bytes(std::string_view bytes) override;
  void on_end(std::string_view why) override { owner_.on_end(number_, {.code = 0, .why = why}); }
  void on_room() override { owner_.on_room(number_); }

  void read_upgrade(std::string_view bytes);
  void read_frames(std::string_view bytes);
  void on_message(std::string_view text);
  void on_notification(std::string_view text);
  void on_control(std::string_view text);
  void on_auth_ok(json::Value payload);
  void on_live(json::Value payload);
  void on_ping(json::Value payload);
  void end(std::uint16_t code, std::string_view why);

  std::uint32_t number_;
  Owner& owner_;
  Connection connection_;
  std::string head_;  // the request until it is sent, then the answer until it is whole
  websocket::FrameReader frames_{websocket::FrameReader::Peer::server, {}};
  std::string position_;
  std::uint64_t notifications_ = 0;  // on this connection
  std::uint64_t replayed_ = 0;
  bool wants_snapshot_ = false;
  bool upgraded_ = false;
  bool replaying_ = false;
};

}  // namespace carillon::bench
