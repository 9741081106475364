#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/result.hpp"
#include "fanout/tls_records.hpp"
#include "load/target.hpp"
#include "net/address.hpp"
#include "net/fd.hpp"
#include "runtime/loop.hpp"

namespace carillon::bench {

// What all receivers of a thread share.
struct ReceiverRoom {
  static constexpr ssize_t kBytes = 64 * 1024;

  std::unique_ptr<char[]> received = std::make_unique<char[]>(kBytes);
  RecordOpener opener;
};

// One TLS connection to the target, for thousands that get much and say little: OpenSSL shakes hands and seals what is
// said, what comes is opened here. With OpenSSL a message costs as much to receive as to send, and the load would be
// measured, not the server. Confined to its loop's thread.
class Receiver final : runtime::ReadyHandler {
 public:
  class Owner {
   public:
    virtual void on_open() = 0;  // the handshake is done
    virtual void on_bytes(std::string_view bytes) = 0;
    virtual void on_end(std::string_view why) = 0;  // last call; not after close()

   protected:
    ~Owner() = default;
  };

  // Before the first connection of this context: what receivers need of it.
  static void prepare(const net::TlsContext& tls);

  // `room` and `owner` outlive it.
  Receiver(runtime::Loop& loop, ReceiverRoom& room, Owner& owner) : loop_(loop), room_(room), owner_(owner) {}
  ~Receiver() { close(); }
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;

  // Once.
  [[nodiscard]] Result<> open(const Target& target, const std::optional<net::IpAddress>& source);
  // Only after on_open(), and no more than the kernel takes at once: otherwise it ends.
  void send(std::string_view bytes);
  // May be called from the owner's callbacks.
  void close();
  [[nodiscard]] bool is_closed() const { return !socket_.is_open(); }

 private:
  struct Free {
    void operator()(ssl_st* ssl) const;
  };
  // What OpenSSL calls with each line of its key log.
  static void take_secret(const ssl_st* ssl, const char* line);

  void on_ready(std::uint32_t events) override;
  void shake_hands();
  void receive(std::uint32_t events);
  void take(std::string_view piece);
  void end(std::string_view why);

  runtime::Loop& loop_;
  ReceiverRoom& room_;
  Owner& owner_;
  net::Fd socket_;
  std::unique_ptr<ssl_st, Free> ssl_;
  std::optional<TlsRecords> records_;
  bool is_open_ = false;
};

}  // namespace carillon::bench
