#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "load/dial.hpp"
#include "load/target.hpp"
#include "net/stream.hpp"
#include "runtime/loop.hpp"

struct ssl_session_st;
struct ssl_st;

namespace carillon::bench {

// Buffers that all connections of one loop share.
struct ConnectionRoom {
  net::StreamScratch scratch;
  std::string received;
};

// One TLS connection to the target, driven by a loop and confined to its thread. When it is opened again it offers the
// ticket that it has, as browsers do: the server then need not sign.
class Connection final : runtime::ReadyHandler {
 public:
  class Owner {
   public:
    virtual void on_open() = 0;  // the handshake is done
    virtual void on_bytes(std::string_view bytes) = 0;
    virtual void on_end(std::string_view why) = 0;  // last call; not after close()
    virtual void on_room() {}                       // after ask_for_more()

   protected:
    ~Owner() = default;
  };

  // `room` and `owner` outlive the connection.
  Connection(runtime::Loop& loop, ConnectionRoom& room, Owner& owner) : loop_(loop), room_(room), owner_(owner) {}
  ~Connection() { hang_up(); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Again after it was closed or has ended, but not from within the owner's callbacks.
  [[nodiscard]] Result<> open(const Target& target, Link link = Link::local);
  // Only after on_open(). What the kernel does not take is kept.
  void send(std::string_view bytes);
  // From now on, until it is closed, the owner is asked for more, by on_room(), whenever the kernel takes it.
  void ask_for_more();
  // Stops reading, as a peer does that has no time: what comes waits in the kernel, and then at the server.
  void pause();
  void go_on();
  // May be called from the owner's callbacks.
  void close();
  [[nodiscard]] bool is_closed() const { return stream_ == nullptr; }
  // Whether the server took the ticket. Only from on_open() on, until it is closed.
  [[nodiscard]] bool is_resumed() const;

 private:
  struct FreeTicket {
    void operator()(ssl_session_st* ticket) const;
  };

  void on_ready(std::uint32_t events) override;
  void read();
  void flush();
  void watch();
  void end(std::string_view why);
  void hang_up();

  runtime::Loop& loop_;
  ConnectionRoom& room_;
  Owner& owner_;
  std::unique_ptr<net::Stream> stream_;
  ssl_st* tls_ = nullptr;  // the stream's
  std::unique_ptr<ssl_session_st, FreeTicket> ticket_;
  std::string waiting_;  // behind what the stream has unsent
  std::uint32_t watched_ = 0;
  bool connected_ = false;
  bool paused_ = false;
  bool asks_for_more_ = false;
};

}  // namespace carillon::bench
