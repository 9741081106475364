#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "load/connection.hpp"
#include "websocket/frame_reader.hpp"

namespace carillon::bench {

// One WebSocket client with its token in the upgrade request (protocol 2.2a). Answers pings, and holds the count in
// them against its own (protocol 4.2). Confined to its loop's thread.
class StreamClient final : Connection::Owner {
 public:
  class Owner {
   public:
    virtual void on_live(std::uint32_t client) = 0;  // auth_ok is here
    virtual void on_notification(std::uint32_t client, std::string_view text) = 0;
    // The server said something it should not have, or has gone. Last call when `is_gone`.
    virtual void on_fault(std::uint32_t client, std::string_view what, bool is_gone) = 0;

   protected:
    ~Owner() = default;
  };

  StreamClient(std::uint32_t number, runtime::Loop& loop, ConnectionRoom& room, Owner& owner)
      : number_(number),
        owner_(owner),
        connection_(loop, room, *this),
        frames_(websocket::FrameReader::Peer::server, {}) {}

  [[nodiscard]] Result<> open(const Target& target, const std::string& token);
  void close() { connection_.close(); }

 private:
  void on_open() override;
  void on_bytes(std::string_view bytes) override;
  void on_end(std::string_view why) override { owner_.on_fault(number_, why, true); }

  void read_upgrade(std::string_view bytes);
  void read_frames(std::string_view bytes);
  void on_message(std::string_view text);
  void on_control(std::string_view text);
  void on_ping(std::uint64_t delivered);
  void end(std::string_view why);

  std::uint32_t number_;
  Owner& owner_;
  Connection connection_;
  std::string head_;  // the request until it is sent, then the answer until it is whole
  websocket::FrameReader frames_;
  std::uint64_t notifications_ = 0;
  bool upgraded_ = false;
};

}  // namespace carillon::bench
