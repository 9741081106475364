#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "eventlog/broker.hpp"
#include "eventlog/broker_url.hpp"

struct amqp_connection_state_t_;

namespace carillon::eventlog {

// Where a RabbitMQ server is.
struct RabbitmqAddress {
  BrokerUrl server;
  std::string vhost;
};
// Reads amqp://[user@]host[:port]/[vhost] or amqps://, as parse_broker_url() does; no vhost is "/", and so is %2F.
[[nodiscard]] Result<RabbitmqAddress> parse_rabbitmq_url(std::string_view url);

// One message of a stream queue.
struct RabbitmqMessage {
  char consumer = 0;         // which of consume()'s it is for
  std::uint64_t tag = 0;     // for acknowledge()
  std::uint64_t offset = 0;  // in the stream, from 0
  std::optional<WallTime> stamped_at;
  std::string id;
  std::string bytes;
};

// Where in a stream a consumer begins: at its first record, at the first of its last chunk, at an offset, or with the
// chunk that came first at or after a time, which is in whole seconds.
struct FirstChunk {};
struct LastChunk {};
struct AtOffset {
  std::uint64_t offset = 0;
};
struct AtTime {
  WallTime time;
};
using StreamStart = std::variant<FirstChunk, LastChunk, AtOffset, AtTime>;

// What a stream queue that is made keeps; 0: no bound.
struct StreamBounds {
  milliseconds age{0};
  std::uint64_t bytes = 0;
};

// One AMQP 0-9-1 connection with one channel, used by one thread at a time, blocking, every wait bounded by
// BrokerAccess::timeout where none is named. After an error every call fails with `unavailable` until connect().
class RabbitmqConnection {
 public:
  // `access` outlives it.
  RabbitmqConnection(RabbitmqAddress address, const BrokerAccess& access);
  ~RabbitmqConnection();
  RabbitmqConnection(const RabbitmqConnection&) = delete;
  RabbitmqConnection& operator=(const RabbitmqConnection&) = delete;

  // Connects, anew where it was connected, and opens the channel.
  [[nodiscard]] Result<> connect();
  [[nodiscard]] bool is_open() const { return is_open_; }
  // Says goodbye where that is quick.
  void close();

  [[nodiscard]] Result<bool> has_queue(std::string_view queue);
  // A durable stream queue. Also where it is there already as such.
  [[nodiscard]] Result<> declare_stream(std::string_view queue, const StreamBounds& bounds);
  // `invalid` where this queue, which exists, is of another type.
  [[nodiscard]] Result<> require_stream(std::string_view queue);

  // Begins to receive; at most about `credit` messages are on their way unacknowledged, one chunk of the stream more.
  [[nodiscard]] Result<> consume(std::string_view queue, char consumer, const StreamStart& start, std::uint16_t credit);
  // The next message; nothing at the deadline, or when the server has ended the consumer: was_cancelled().
  [[nodiscard]] Result<std::optional<RabbitmqMessage>> receive(MonoTime deadline);
  [[nodiscard]] bool was_cancelled() const { return was_cancelled_; }
  // This message and all before it.
  [[nodiscard]] Result<> acknowledge(std::uint64_t tag);
  // A question to the channel and its answer: what the channel had sent by then has arrived, and receive() returns it
  // without waiting as long as has_arrived().
  [[nodiscard]] Result<> sync();
  [[nodiscard]] bool has_arrived() const;
  // Ends all consumers: what was on its way is gone.
  [[nodiscard]] Result<> reopen_channel();
  // For a connection that nobody receives from for a while: tells the server that we are there.
  [[nodiscard]] Result<> beat();

  // From now on publish() is confirmed.
  [[nodiscard]] Result<> select_confirms();
  // Sends one persistent message to the queue of this name, stamped with `now`. `full` where the server takes none for
  // want of memory or disk.
  [[nodiscard]] Result<> publish(std::string_view queue, std::string_view id, std::string_view bytes, WallTime now);
  // Waits until the server has confirmed everything published.
  [[nodiscard]] Result<> await_confirms();

  // "RabbitMQ at HOST:PORT: " and the sentence.
  [[nodiscard]] Error error(ErrorKind kind, std::string_view sentence) const;

 private:
  struct Amqp;  // what is told in the library's types

  Result<> open_socket();
  Result<> log_in();
  Result<> open_channel();
  [[nodiscard]] Result<> require_open() const;
  Result<bool> allowed_to_fail(int code, std::string_view doing);
  Result<> wait_writable(std::size_t bytes);
  void take_confirm(std::uint64_t number, bool is_multiple);
  void let_go();

  RabbitmqAddress address_;
  const BrokerAccess& access_;
  amqp_connection_state_t_* state_ = nullptr;
  bool is_open_ = false;
  bool was_cancelled_ = false;
  std::uint16_t credit_ = 1;  // of the next consumer
  std::string blocked_;       // why the server takes no messages, as it says

  std::uint64_t published_ = 0;  // messages since select_confirms(); they are numbered from 1
  std::uint64_t confirmed_ = 0;  // all up to here
  std::set<std::uint64_t> confirmed_ahead_;
  std::size_t sent_bytes_ = 0;  // since the socket was seen to be writable
};

}  // namespace carillon::eventlog
