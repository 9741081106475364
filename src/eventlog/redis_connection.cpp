#include "eventlog/redis_connection.hpp"

#include <fmt/format.h>
#include <hiredis/hiredis.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <utility>

#include "base/number.hpp"
#include "eventlog/redis_tls.hpp"
#include "eventlog/timeval.hpp"

namespace carillon::eventlog {
namespace {

using Type = RedisReply::Type;

constexpr std::size_t kKeptBytesMax = std::size_t{16} << 20;  // of a reply's memory, for the next one

// hiredis builds a reply by these, in the order of the reply. Their signatures differ between its versions by the
// integer type alone.
redisReplyObjectFunctions reply_functions() {
  redisReplyObjectFunctions functions{};
  functions.createString = [](const redisReadTask* task, char* text, std::size_t size) {
    static_cast<RedisReply*>(task->privdata)
        ->add(task->type == REDIS_REPLY_ERROR ? Type::error : Type::text, std::string_view(text, size));
    return task->privdata;
  };
  functions.createArray = [](const redisReadTask* task, auto elements) {
    static_cast<RedisReply*>(task->privdata)->add(Type::array, static_cast<std::uint64_t>(elements));
    return task->privdata;
  };
  functions.createInteger = [](const redisReadTask* task, long long number) {
    static_cast<RedisReply*>(task->privdata)->add(Type::integer, static_cast<std::uint64_t>(number));
    return task->privdata;
  };
  functions.createNil = [](const redisReadTask* task) {
    static_cast<RedisReply*>(task->privdata)->add(Type::nil, 0);
    return task->privdata;
  };
  functions.freeObject = [](void*) {};
  return functions;
}

// What Redis answers begins with one of these words.
struct Meaning {
  std::string_view word;
  ErrorKind kind;
  std::string_view advice;  // behind the answer
};
constexpr auto kMeanings = std::to_array<Meaning>({
    {"WRONGPASS", ErrorKind::denied, ""},
    {"NOAUTH", ErrorKind::denied, ""},
    {"NOPERM", ErrorKind::denied, ""},
    {"ERR AUTH", ErrorKind::denied, ""},
    {"WRONGTYPE", ErrorKind::invalid, "the configured key holds something other than a stream"},
    {"MOVED", ErrorKind::invalid, "this is a Redis Cluster, and another of its nodes has the stream"},
    {"ERR DB index", ErrorKind::invalid, "the URL's database is not there"},
    {"ERR unknown command", ErrorKind::invalid, "Redis 7.0 or later is needed"},
    {"OOM", ErrorKind::full, ""},
    {"MISCONF", ErrorKind::full, ""},
    {"READONLY", ErrorKind::unavailable, "this server is a replica; the URL must name the one that takes writes"},
});

}  // namespace

Result<RedisAddress> parse_redis_url(std::string_view url) {
  constexpr BrokerUrlForm kForm{.broker = "Redis",
                                .pattern = "redis://[user@]host[:port][/database]",
                                .scheme = "redis",
                                .port = 6379,
                                .tls_scheme = "rediss",
                                .tls_port = 6379};
  auto server = parse_broker_url(url, kForm);
  if (!server) return std::unexpected(server.error());
  const auto database = server->path.empty() ? 0U : parse_number<unsigned>(server->path);
  if (!database) return kForm.refusal("has a database that is no number");
  return RedisAddress{.server = *std::move(server), .database = *database};
}

RedisReply::Item RedisReply::peek() const {
  if (at_ == tokens_.size()) return {};
  const Token& token = tokens_[at_];
  if (token.type != Type::text && token.type != Type::error)
    return {.type = token.type, .number = token.number, .text = {}};
  return {.type = token.type, .number = 0, .text = std::string_view(text_).substr(token.begin, token.number)};
}

RedisReply::Item RedisReply::next() {
  const Item item = peek();
  if (at_ < tokens_.size()) ++at_;
  return item;
}

void RedisReply::skip() {
  for (std::uint64_t left = 1; left > 0 && at_ < tokens_.size(); --left) left += next().elements();
}

void RedisReply::clear() {
  tokens_.clear();
  text_.clear();
  if (text_.capacity() > kKeptBytesMax) text_.shrink_to_fit();
  at_ = 0;
}

void RedisReply::add(Type type, std::uint64_t number) {
  tokens_.push_back({type, number, 0});
}

void RedisReply::add(Type type, std::string_view text) {
  tokens_.push_back({type, text.size(), text_.size()});
  text_ += text;
}

void RedisConnection::Close::operator()(redisContext* context) const {
  ::redisFree(context);
}

RedisConnection::RedisConnection(RedisAddress address, const BrokerAccess& access)
    : address_(std::move(address)), access_(access) {}

RedisConnection::~RedisConnection() = default;

void RedisConnection::close() {
  context_.reset();
}

Result<> RedisConnection::connect() {
  static redisReplyObjectFunctions functions = reply_functions();
  context_.reset(
      ::redisConnectWithTimeout(address_.server.host.c_str(), address_.server.port, as_timeval(access_.timeout)));
  if (context_ == nullptr || context_->err != 0) return std::unexpected(lost());
  context_->reader->fn = &functions;
  context_->reader->privdata = &reply_;
  timeout_ = milliseconds{0};
  ::redisEnableKeepAlive(context_.get());
  if (!set_timeout(access_.timeout)) return std::unexpected(lost());
  if (address_.server.uses_tls) {
    if (Result<> secured = start_redis_tls(*context_, address_.server, access_); !secured) return secured;
  }
  return introduce();
}

Result<> RedisConnection::introduce() {
  const std::string& user = access_.username.empty() ? address_.server.user : access_.username;
  if (!user.empty()) {
    if (Result<RedisReply*> reply = call({"AUTH", user, access_.password}); !reply)
      return std::unexpected(reply.error());
  } else if (!access_.password.empty()) {
    if (Result<RedisReply*> reply = call({"AUTH", access_.password}); !reply) return std::unexpected(reply.error());
  }
  if (Result<> fit = check_version(); !fit) return fit;
  if (address_.database != 0) {
    Result<RedisReply*> reply = call({"SELECT", fmt::to_string(address_.database)});
    if (!reply) return std::unexpected(reply.error());
  }
  // A name for people who list the connections; it may be refused.
  add({"CLIENT", "SETNAME", "carillon"});
  if (Result<RedisReply*> reply = receive(); !reply) return std::unexpected(reply.error());
  return {};
}

Result<> RedisConnection::check_version() {
  Result<RedisReply*> reply = call({"HELLO"});
  if (!reply) return std::unexpected(reply.error());
  std::string_view version;
  for (std::size_t pairs = (*reply)->next().elements() / 2; pairs > 0; --pairs) {
    const bool is_it = (*reply)->next().text == "version";
    if (is_it) version = (*reply)->peek().text;
    (*reply)->skip();
  }
  if (parse_number<unsigned>(version.substr(0, version.find('.'))).value_or(0) >= 7) return {};
  return std::unexpected(
      error(ErrorKind::invalid, fmt::format("it is version {}, and 7.0 or later is needed", version)));
}

void RedisConnection::add(std::span<const std::string_view> words) {
  if (context_ == nullptr) return;
  words_.clear();
  sizes_.clear();
  for (const std::string_view word : words) {
    words_.push_back(word.data());
    sizes_.push_back(word.size());
  }
  ::redisAppendCommandArgv(context_.get(), static_cast<int>(words_.size()), words_.data(), sizes_.data());
}

Result<RedisReply*> RedisConnection::receive(milliseconds patience) {
  if (context_ == nullptr) return std::unexpected(error(ErrorKind::unavailable, "not connected"));
  if (!set_timeout(access_.timeout + patience)) return std::unexpected(lost());
  for (int done = 0; done == 0;) {
    if (::redisBufferWrite(context_.get(), &done) != REDIS_OK) return std::unexpected(lost());
  }
  reply_.clear();
  while (true) {
    void* reply = nullptr;
    if (::redisReaderGetReply(context_->reader, &reply) != REDIS_OK) {
      return std::unexpected(error(ErrorKind::unavailable, "what it answers is not the Redis protocol"));
    }
    if (reply != nullptr) return &reply_;
    if (::redisBufferRead(context_.get()) != REDIS_OK) return std::unexpected(lost());
  }
}

Result<RedisReply*> RedisConnection::expect(milliseconds patience) {
  Result<RedisReply*> reply = receive(patience);
  if (reply && (*reply)->peek().type == Type::error) return std::unexpected(error_of((*reply)->peek().text));
  return reply;
}

Result<RedisReply*> RedisConnection::call(std::initializer_list<std::string_view> words) {
  add(words);
  return expect();
}

Error RedisConnection::error_of(std::string_view answer) const {
  const auto meaning =
      std::ranges::find_if(kMeanings, [&](const Meaning& each) { return answer.starts_with(each.word); });
  // Everything else passes: LOADING, MASTERDOWN, CLUSTERDOWN, NOREPLICAS, BUSY, too many clients.
  if (meaning == kMeanings.end()) return error(ErrorKind::unavailable, answer);
  if (meaning->advice.empty()) return error(meaning->kind, answer);
  return error(meaning->kind, fmt::format("{} ({})", meaning->advice, answer));
}

Error RedisConnection::error(ErrorKind kind, std::string_view sentence) const {
  return {.kind = kind, .message = fmt::format("Redis at {}: {}", address_.server.address(), sentence)};
}

// The connection is not to be used again: a reply might still come that belongs to an older command.
Error RedisConnection::lost() {
  const int code = errno;
  std::string why = "cannot connect";
  if (context_ != nullptr && context_->err == REDIS_ERR_IO && (code == EAGAIN || code == EWOULDBLOCK)) {
    why = fmt::format("does not answer within {} ms", std::max(timeout_, access_.timeout).count());
  } else if (context_ != nullptr && context_->err != 0) {
    why = context_->errstr;
  }
  close();
  return error(ErrorKind::unavailable, why);
}

bool RedisConnection::set_timeout(milliseconds timeout) {
  if (timeout == timeout_) return true;
  timeout_ = timeout;
  return ::redisSetTimeout(context_.get(), as_timeval(timeout)) == REDIS_OK;
}

}  // namespace carillon::eventlog
