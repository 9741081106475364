#include "eventlog/redis_broker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <limits>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "eventlog/redis_connection.hpp"
#include "eventlog/redis_tls.hpp"
#include "eventlog/redis_trail.hpp"

namespace carillon::eventlog {
namespace {

using Item = RedisReply::Item;
using Type = RedisReply::Type;

// Redis bounds a read by entries alone, so few enough that the longest records do not flood us, and enough that a read
// costs little beside its records.
constexpr std::size_t kReadRecordsMax = 512;
constexpr std::size_t kReadBytesMax = std::size_t{4} << 20;
constexpr std::size_t kRecordBytesMax = std::size_t{1} << 20;  // an envelope is no longer
constexpr std::size_t kIdBytesMax = 128;
constexpr std::uint64_t kTimeMax = 253'402'300'799'999;        // the year 9999 ends; a producer may choose any id
constexpr std::size_t kAppendBytesMax = std::size_t{8} << 20;  // of one transaction
constexpr std::size_t kNotesMax = 20'000;
constexpr std::size_t kNotesBytesMax = std::size_t{64} << 20;
constexpr std::size_t kNotesPage = 32;  // read at once

std::string text_of(Offset offset) {
  return fmt::format("{}-{}", offset.high, offset.low);
}

Offset parse_offset(std::string_view text) {
  Offset offset;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), offset.high);
  if (failed == std::errc{} && end != text.data() + text.size()) {
    std::from_chars(end + 1, text.data() + text.size(), offset.low);
  }
  return offset;
}

RedisStreamState take_fields(RedisReply& reply) {
  RedisStreamState state;
  state.exists = true;
  for (std::size_t pairs = reply.next().elements() / 2; pairs > 0; --pairs) {
    const std::string_view name = reply.next().text;
    const Item value = reply.peek();
    if (name == "length") {
      state.length = value.number;
    } else if (name == "entries-added") {
      state.added = value.number;
    } else if (name == "last-generated-id") {
      state.last = parse_offset(value.text);
    } else if (name == "max-deleted-entry-id") {
      state.deleted = parse_offset(value.text);
    } else if (name == "first-entry" && value.elements() > 0) {
      reply.next();
      state.first = parse_offset(reply.next().text);
    }
    reply.skip();
  }
  return state;
}

// What an entry without an envelope holds, for the people who find it among the dead letters. It is no JSON, whatever
// the fields are.
void add_foreign(std::string& text, std::string_view name, std::string_view value) {
  const std::string_view before = text.empty() ? "no field \"event\" but " : ", ";
  for (const std::string_view part : {before, name, std::string_view("="), value}) {
    text += part.substr(0, kRecordBytesMax - std::min(text.size(), kRecordBytesMax));
  }
}

BrokerRecord take_record(RedisReply& reply, Offset offset) {
  BrokerRecord record;
  record.offset = offset;
  record.logged_at = WallTime{milliseconds{std::min(offset.high, kTimeMax)}};
  std::optional<std::string_view> event;
  std::string foreign;
  for (std::size_t pairs = reply.next().elements() / 2; pairs > 0; --pairs) {
    const std::string_view name = reply.next().text;
    const std::string_view value = reply.next().text;
    if (name == "event") {
      event = value;
    } else if (name == "id" && value.size() <= kIdBytesMax) {
      record.id = value;
    }
    if (!event) add_foreign(foreign, name, value);
  }
  // One byte more than there may be says that it is too long.
  record.bytes = event ? std::string(event->substr(0, kRecordBytesMax + 1)) : std::move(foreign);
  return record;
}

// A connection and the stream that it is about.
class Stream {
 public:
  Stream(const RedisAddress& address, const RedisOptions& options)
      : server(address, options.access), key(options.stream), may_create(options.access.may_create) {}

  // A key that is not there is an empty stream where it may be made: the first append makes it.
  [[nodiscard]] Result<RedisStreamState> connect() {
    if (Result<> connected = server.connect(); !connected) return std::unexpected(connected.error());
    Result<RedisStreamState> state = look();
    if (state && !state->exists && !may_create) return std::unexpected(missing());
    return state;
  }
  [[nodiscard]] Result<RedisStreamState> look() {
    server.add({"XINFO", "STREAM", key});
    Result<RedisReply*> reply = server.receive();
    if (!reply) return std::unexpected(reply.error());
    return take_state(**reply);
  }
  [[nodiscard]] Result<RedisStreamState> take_state(RedisReply& reply) const {
    if (reply.peek().type != Type::error) return take_fields(reply);
    const std::string_view answer = reply.next().text;
    if (answer.starts_with("ERR no such key")) return RedisStreamState{};
    return std::unexpected(server.error_of(answer));
  }
  [[nodiscard]] Error missing() const {
    return server.error(ErrorKind::not_found, fmt::format("there is no stream {}, and it may not be made here", key));
  }

  RedisConnection server;
  const std::string key;
  const bool may_create;
};

// MULTI makes what the trail compares one moment (RedisTrail), without a script; XREAD before it waits, since nothing
// can wait inside. All of it is one round trip.
class RedisReader final : public BrokerReader {
 public:
  RedisReader(const RedisAddress& address, const RedisOptions& options) : stream_(address, options) {}

  Result<Extent> connect() override {
    Result<RedisStreamState> state = stream_.connect();
    if (!state) return std::unexpected(state.error());
    return extent_of(*state);
  }
  Result<Extent> look() override {
    Result<RedisStreamState> state = stream_.look();
    if (!state) return std::unexpected(state.error());
    return extent_of(*state);
  }
  Result<Place> place_at(WallTime time) override {
    const auto since_epoch = time.time_since_epoch().count();
    if (since_epoch <= 0) return Place(Offset{});
    const Offset before{static_cast<std::uint64_t>(since_epoch) - 1, std::numeric_limits<std::uint64_t>::max()};
    Result<RedisStreamState> state = stream_.look();
    if (!state) return std::unexpected(state.error());
    return Place(std::min(before, state->last));
  }
  Result<> seek(const Place& after) override {
    Result<RedisStreamState> state = stream_.look();
    if (!state) return std::unexpected(state.error());
    trail_.begin(after.at(0), *state);
    return {};
  }
  Result<Batch> read(milliseconds wait) override {
    if (Result<> ready = ask(is_behind_ ? milliseconds{0} : wait); !ready) return std::unexpected(ready.error());
    Result<RedisReply*> reply = stream_.server.expect(wait);
    if (!reply) return std::unexpected(reply.error());
    return take_batch(**reply);
  }

 private:
  [[nodiscard]] Extent extent_of(const RedisStreamState& state) const {
    Offset before_first = state.before_first();
    // Redis does not say which entry it trimmed last; the trail knows that it was none after its place.
    if (trail_.has_begun() && !trail_.look(state)) before_first = std::min(before_first, trail_.place());
    return {.before_first = Place(before_first), .last = Place(state.last), .added = state.added, .incarnation = {}};
  }

  // Leaves the reply of the transaction to be received.
  [[nodiscard]] Result<> ask(milliseconds wait) {
    RedisConnection& server = stream_.server;
    const std::string place = text_of(trail_.place());
    const bool is_waiting = wait > milliseconds{0};
    if (is_waiting) {
      server.add({"XREAD", "COUNT", "1", "BLOCK", fmt::to_string(wait.count()), "STREAMS", stream_.key, place});
    }
    server.add({"MULTI"});
    server.add({"XINFO", "STREAM", stream_.key});
    server.add({"XRANGE", stream_.key, place, "+", "COUNT", fmt::to_string(records_max_ + 1)});
    server.add({"EXEC"});
    for (int replies = is_waiting ? 4 : 3; replies > 0; --replies) {
      if (Result<RedisReply*> reply = server.expect(wait); !reply) return std::unexpected(reply.error());
    }
    return {};
  }

  [[nodiscard]] Result<Batch> take_batch(RedisReply& reply) {
    reply.next();
    Result<RedisStreamState> state = stream_.take_state(reply);
    if (!state) return std::unexpected(state.error());
    const std::size_t entries = reply.next().elements();
    Batch batch;
    RedisTrail::Found found{.has_place = false, .after = 0, .last = {}, .is_all = entries <= records_max_};
    batch.records.reserve(entries);
    std::size_t bytes = 0;
    for (std::size_t left = entries; left > 0; --left) {
      reply.next();
      const Offset offset = parse_offset(reply.next().text);
      if (offset == trail_.place()) {
        found.has_place = true;
        reply.skip();
        continue;
      }
      batch.records.push_back(take_record(reply, offset));
      bytes += batch.records.back().bytes.size();
    }
    found.after = batch.records.size();
    if (found.after > 0) found.last = batch.records.back().offset;
    batch.gap = trail_.go_on(*state, found);
    if (batch.gap) batch.records.clear();
    is_behind_ = !found.is_all;
    fit_next_read(found.after, bytes);
    return batch;
  }

  // The next records are likely as long as these.
  void fit_next_read(std::size_t records, std::size_t bytes) {
    if (records == 0) return;
    const std::size_t fitting = kReadBytesMax / std::max<std::size_t>(bytes / records, 1);
    records_max_ = std::clamp<std::size_t>(fitting, 1, std::min(records_max_ * 2, kReadRecordsMax));
  }

  Stream stream_;
  RedisTrail trail_;
  std::size_t records_max_ = 64;
  bool is_behind_ = false;
};

class RedisWriter final : public BrokerWriter {
 public:
  RedisWriter(const RedisAddress& address, const RedisOptions& options)
      : stream_(address, options), notes_key_(options.stream + ":notes"), retention_(options.access.retention) {}

  Result<> connect() override {
    Result<RedisStreamState> state = stream_.connect();
    if (!state) return std::unexpected(state.error());
    return {};
  }

  std::vector<std::string> warnings() override {
    Result<RedisReply*> reply = stream_.server.call(
        {"CONFIG", "GET", "appendonly", "appendfsync", "no-appendfsync-on-rewrite", "maxmemory", "maxmemory-policy"});
    if (!reply) return {reply.error().message + ": whether what it acknowledges is durable cannot be told"};
    return weaknesses(**reply);
  }

  Result<std::vector<Stood>> append(std::span<const Record> records) override {
    std::vector<Stood> stood;
    stood.reserve(records.size());
    while (!records.empty()) {
      std::size_t count = 0;
      for (std::size_t bytes = 0; count < records.size() && (count == 0 || bytes < kAppendBytesMax); ++count) {
        bytes += records[count].bytes.size();
      }
      if (Result<> done = append_together(records.first(count), stood); !done) return std::unexpected(done.error());
      records = records.subspan(count);
    }
    return stood;
  }

  Result<> append_note(std::string_view note) override {
    Result<RedisReply*> reply =
        stream_.server.call({"XADD", notes_key_, "MAXLEN", "~", fmt::to_string(kNotesMax), "*", "note", note});
    if (!reply) return std::unexpected(reply.error());
    note_bytes_ += note.size();
    return note_bytes_ < kNotesBytesMax / 2 ? Result<>{} : trim_notes();
  }

  Result<std::vector<std::string>> read_notes() override {
    std::vector<std::string> notes;
    std::string from = "-";
    while (true) {
      Result<RedisReply*> reply =
          stream_.server.call({"XRANGE", notes_key_, from, "+", "COUNT", fmt::to_string(kNotesPage)});
      if (!reply) return std::unexpected(reply.error());
      const std::size_t count = (*reply)->next().elements();
      for (std::size_t left = count; left > 0; --left) {
        (*reply)->next();
        from = fmt::format("({}", (*reply)->next().text);
        if (std::optional<std::string_view> note = take_note(**reply)) notes.emplace_back(*note);
      }
      if (count < kNotesPage) return notes;
    }
  }

  Result<Place> end() override {
    Result<RedisStreamState> state = stream_.look();
    if (!state) return std::unexpected(state.error());
    return Place(state->last);
  }

 private:
  // The first id that retention leaves; empty: all.
  [[nodiscard]] std::string oldest_kept() const {
    if (retention_ == milliseconds{0}) return {};
    const auto now = std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now());
    return fmt::to_string(std::max(milliseconds{0}, now.time_since_epoch() - retention_).count());
  }

  // In one transaction, since Redis then syncs its file once for all of them.
  [[nodiscard]] Result<> append_together(std::span<const Record> records, std::vector<Stood>& stood) {
    RedisConnection& server = stream_.server;
    server.add({"MULTI"});
    std::vector<std::string_view> command = {"XADD", stream_.key};
    if (!stream_.may_create) command.push_back("NOMKSTREAM");
    const std::size_t plain = command.size();
    const std::string oldest = oldest_kept();
    if (!oldest.empty()) command.insert(command.end(), {"MINID", "~", oldest});
    for (const Record& record : records) {
      command.insert(command.end(), {"*", "event", record.bytes, "id", record.id});
      server.add(command);
      command.resize(plain);  // to trim once is enough
    }
    server.add({"EXEC"});
    for (std::size_t left = records.size() + 1; left > 0; --left) {
      if (Result<RedisReply*> queued = server.expect(); !queued) return std::unexpected(queued.error());
    }
    Result<RedisReply*> reply = server.expect();
    if (!reply) return std::unexpected(reply.error());
    if ((*reply)->next().elements() != records.size()) {
      return std::unexpected(server.error(ErrorKind::unavailable, "it answered an append with something else"));
    }
    for (std::size_t left = records.size(); left > 0; --left) {
      const Item item = (*reply)->next();
      if (item.type == Type::error) return std::unexpected(server.error_of(item.text));
      if (item.type != Type::text) return std::unexpected(stream_.missing());
      stood.push_back({.lane = 0, .offset = parse_offset(item.text), .is_repeat = false});
    }
    return {};
  }

  static std::optional<std::string_view> take_note(RedisReply& reply) {
    std::optional<std::string_view> note;
    for (std::size_t pairs = reply.next().elements() / 2; pairs > 0; --pairs) {
      const bool is_it = reply.next().text == "note";
      const std::string_view value = reply.next().text;
      if (is_it) note = value;
    }
    return note;
  }

  // Redis bounds a stream by entries; by bytes we do, once in a while: what stands before the newest 64 MiB leaves.
  [[nodiscard]] Result<> trim_notes() {
    note_bytes_ = 0;
    std::string to = "+";
    std::size_t bytes = 0;
    while (true) {
      Result<RedisReply*> reply =
          stream_.server.call({"XREVRANGE", notes_key_, to, "-", "COUNT", fmt::to_string(kNotesPage)});
      if (!reply) return std::unexpected(reply.error());
      const std::size_t count = (*reply)->next().elements();
      std::string id;
      for (std::size_t left = count; left > 0 && bytes < kNotesBytesMax; --left) {
        (*reply)->next();
        id = (*reply)->next().text;
        bytes += take_note(**reply).value_or("").size();
      }
      if (bytes >= kNotesBytesMax) {
        Result<RedisReply*> trimmed = stream_.server.call({"XTRIM", notes_key_, "MINID", id});
        return trimmed ? Result<>{} : std::unexpected(trimmed.error());
      }
      if (count < kNotesPage) return {};
      to = "(" + id;
    }
  }

  [[nodiscard]] std::vector<std::string> weaknesses(RedisReply& reply) const {
    std::vector<std::string> sentences;
    std::string_view policy;
    bool has_bound = false;
    const auto say = [&](std::string_view sentence) {
      sentences.push_back(stream_.server.error(ErrorKind::invalid, sentence).message);
    };
    for (std::size_t pairs = reply.next().elements() / 2; pairs > 0; --pairs) {
      const std::string_view name = reply.next().text;
      const std::string_view value = reply.next().text;
      if (name == "appendonly" && value != "yes") {
        say("appendonly is no: what it acknowledges is lost when it stops; set appendonly yes");
      } else if (name == "appendfsync" && value != "always") {
        say(
            fmt::format("appendfsync is {}: what it acknowledged in the last second or more is lost when its machine "
                        "stops; set appendfsync always",
                        value));
      } else if (name == "no-appendfsync-on-rewrite" && value != "no") {
        say("no-appendfsync-on-rewrite is yes: it does not sync while it rewrites its file; set it to no");
      } else if (name == "maxmemory") {
        has_bound = value != "0";
      } else if (name == "maxmemory-policy") {
        policy = value;
      }
    }
    if (has_bound && policy.starts_with("allkeys-")) {
      say(fmt::format("maxmemory-policy is {}: it drops the whole stream when memory runs out; set noeviction",
                      policy));
    }
    return sentences;
  }

  Stream stream_;
  std::string notes_key_;
  const milliseconds retention_;
  std::size_t note_bytes_ = kNotesBytesMax;  // since the notes were last trimmed; the first note trims them
};

class RedisBroker final : public Broker {
 public:
  RedisBroker(RedisAddress address, RedisOptions options)
      : address_(std::move(address)), options_(std::move(options)) {}

  std::unique_ptr<BrokerReader> make_reader() const override {
    return std::make_unique<RedisReader>(address_, options_);
  }
  std::unique_ptr<BrokerWriter> make_writer() const override {
    return std::make_unique<RedisWriter>(address_, options_);
  }
  char letter() const override { return 'r'; }
  std::string name() const override {
    return fmt::format("Redis at {}, stream {}", address_.server.address(), options_.stream);
  }

 private:
  RedisAddress address_;
  RedisOptions options_;
};

}  // namespace

Result<std::unique_ptr<Broker>> make_redis_broker(RedisOptions options) {
  Result<RedisAddress> address = parse_redis_url(options.access.url);
  if (!address) return std::unexpected(address.error());
  if (address->server.uses_tls && !has_redis_tls()) {
    return fail(ErrorKind::invalid,
                "the Redis URL asks for TLS, and this build has none for Redis: its hiredis came without hiredis_ssl");
  }
  if (!address->server.uses_tls && !options.access.ca_file.empty()) {
    return fail(ErrorKind::invalid, "a CA file is of use only with TLS: the URL of Redis would begin with rediss://");
  }
  return std::make_unique<RedisBroker>(*std::move(address), std::move(options));
}

}  // namespace carillon::eventlog
