#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "eventlog/broker.hpp"
#include "eventlog/broker_url.hpp"

struct redisContext;

namespace carillon::eventlog {

// Where a Redis server is.
struct RedisAddress {
  BrokerUrl server;
  unsigned database = 0;
};
// Reads redis://[user@]host[:port][/database] or rediss://, as parse_broker_url() does.
[[nodiscard]] Result<RedisAddress> parse_redis_url(std::string_view url);

// A reply, read once from its beginning: an array is followed by its elements. Reading past the end gives nils.
class RedisReply {
 public:
  enum class Type : std::uint8_t { nil, integer, text, error, array };
  struct Item {
    Type type = Type::nil;
    std::uint64_t number = 0;  // of an integer; or how many elements an array has
    std::string_view text;     // of a text or an error; until the next reply is received

    [[nodiscard]] std::size_t elements() const { return type == Type::array ? number : 0; }
  };

  Item next();
  [[nodiscard]] Item peek() const;
  // Passes one item with all its elements.
  void skip();

  // For the one who receives.
  void clear();
  void add(Type type, std::uint64_t number);
  void add(Type type, std::string_view text);

 private:
  struct Token {
    Type type;
    std::uint64_t number;  // of a text: its size
    std::size_t begin;     // of a text: in text_
  };
  std::vector<Token> tokens_;
  std::string text_;
  std::size_t at_ = 0;
};

// One connection to a Redis server, synchronous; used by one thread at a time. After an error of the connection itself
// every call fails with `unavailable` until connect().
class RedisConnection {
 public:
  RedisConnection(RedisAddress address, const BrokerAccess& access);
  ~RedisConnection();
  RedisConnection(const RedisConnection&) = delete;
  RedisConnection& operator=(const RedisConnection&) = delete;

  // Connects, anew where it was connected; authenticates, selects the database and refuses what is older than 7.0.
  [[nodiscard]] Result<> connect();
  void close();

  // Puts a command behind those that wait to be sent.
  void add(std::span<const std::string_view> words);
  void add(std::initializer_list<std::string_view> words) { add(std::span(words.begin(), words.size())); }
  // The reply to the oldest command without one; sends what waits before. An answer may take `patience` longer than
  // BrokerAccess::timeout. Errors that Redis answers are replies.
  [[nodiscard]] Result<RedisReply*> receive(milliseconds patience = milliseconds{0});
  // As receive(), but an error that Redis answers is an Error (error_of()).
  [[nodiscard]] Result<RedisReply*> expect(milliseconds patience = milliseconds{0});
  [[nodiscard]] Result<RedisReply*> call(std::initializer_list<std::string_view> words);

  // What an error means that Redis answered. Names the server.
  [[nodiscard]] Error error_of(std::string_view answer) const;
  // "Redis at HOST:PORT: " and the sentence.
  [[nodiscard]] Error error(ErrorKind kind, std::string_view sentence) const;

 private:
  struct Close {
    void operator()(redisContext* context) const;
  };

  [[nodiscard]] Result<> introduce();
  [[nodiscard]] Result<> check_version();
  [[nodiscard]] Error lost();
  [[nodiscard]] bool set_timeout(milliseconds timeout);

  RedisAddress address_;
  BrokerAccess access_;
  std::unique_ptr<redisContext, Close> context_;
  milliseconds timeout_{0};
  std::vector<const char*> words_;  // of the command that is being added
  std::vector<std::size_t> sizes_;
  RedisReply reply_;
};

}  // namespace carillon::eventlog
