#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "fanout/dialect.hpp"
#include "fanout/receiver.hpp"

namespace carillon::bench {

// One WebSocket client of a peer, which does as little as it can with what it gets. Confined to its loop's thread.
class Subscriber final : Receiver::Owner, Dialect::Ear {
 public:
  class Owner {
   public:
    virtual void on_live(std::uint32_t client) = 0;
    virtual void on_message(std::uint32_t client, std::string_view text) = 0;
    virtual void on_fault(std::uint32_t client, std::string_view what) = 0;
    virtual void on_end(std::uint32_t client, std::string_view why) = 0;  // last call

   protected:
    ~Owner() = default;
  };

  Subscriber(std::uint32_t number, const Dialect& dialect, runtime::Loop& loop, ReceiverRoom& room, Owner& owner)
      : number_(number), dialect_(dialect), owner_(owner), connection_(loop, room, *this) {}

  // Once. From `source`, when one is given.
  [[nodiscard]] Result<> open(const Target& target, std::optional<net::IpAddress> source);

 private:
  void on_open() override { connection_.send(std::exchange(head_, {})); }
  void on_bytes(std::string_view bytes) override;
  void on_end(std::string_view why) override { owner_.on_end(number_, why); }

  void on_live() override { owner_.on_live(number_); }
  void on_message(std::string_view text) override { owner_.on_message(number_, text); }
  void on_fault(std::string_view what) override { owner_.on_fault(number_, what); }
  void say(protocol::Opcode opcode, std::string_view payload) override;

  void read_upgrade(std::string_view bytes);
  void read_frames(std::string_view bytes);
  void take(const ServerFrames::Frame& frame);
  void end(std::string_view why);

  const std::uint32_t number_;
  const Dialect& dialect_;
  Owner& owner_;
  Receiver connection_;
  std::string head_;  // the request until it is sent, then the answer until it is whole
  ServerFrames frames_;
  std::string rest_;  // the dialect's
  bool is_upgraded_ = false;
};

}  // namespace carillon::bench
