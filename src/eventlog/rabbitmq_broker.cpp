#include "eventlog/rabbitmq_broker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "eventlog/rabbitmq_connection.hpp"

// How far a stream reaches. AMQP has no question for it, and the number of messages that a declaration returns is some
// seconds old. So we consume: "first" gives the first record, "last" the last chunk and what follows it. A channel does
// one thing after the other, and a stream's consumer is given all that is there before anything else is done, as long
// as it has credit; so once its first record has come, everything up to the end has come when a question to the channel
// that was asked after that is answered. The consumers do not begin together: each is waited for. That costs a chunk of
// the stream at each end, some hundred records as a rule.
//
// An empty stream gives nothing. When a consumer begins, the channel first asks the stream to tell it of records, those
// that are there at once, and the second consumer asks the stream once more and waits for the answer; so after two
// questions to the channel a record would have come. Servers that answer the second consumer without asking get some
// time besides (kEmptyAfter).
//
// Offsets have holes where the server wrote something of its own between the records, as it does at the beginning of a
// segment. A hole is a gap where the stream by then begins behind it.
namespace carillon::eventlog {
namespace {

constexpr std::size_t kReadRecordsMax = 4096;
constexpr std::size_t kReadBytesMax = std::size_t{4} << 20;
// The server reads ahead and holds this many records for us, and a chunk more; more of them make it slower.
constexpr std::uint16_t kCredit = 256;
constexpr std::uint16_t kNotesCredit = 16;
constexpr std::uint64_t kNotesBytesMax = std::uint64_t{128} << 20;
constexpr milliseconds kEmptyAfter{250};
// A hole costs a question about the whole stream, so what comes soon behind it is asked about together.
constexpr milliseconds kSoon{20};
constexpr milliseconds kGatherMax{200};

MonoTime now() {
  return std::chrono::steady_clock::now();
}

Place place_before(std::uint64_t offset) {
  return Place(Offset{.high = offset});
}
Place place_of_offset(std::uint64_t offset) {
  return Place(Offset{.high = offset + 1});
}

// Sees to it that the queue is there and a stream.
Result<> ensure_stream(RabbitmqConnection& connection, const std::string& queue, const StreamBounds& bounds,
                       bool may_create) {
  const Result<bool> has = connection.has_queue(queue);
  if (!has) return std::unexpected(has.error());
  if (*has) return connection.require_stream(queue);
  if (may_create) return connection.declare_stream(queue, bounds);
  return std::unexpected(connection.error(ErrorKind::not_found, fmt::format("there is no queue {}", queue)));
}

// How long nothing has to come until a stream is taken for empty, and how long a record that must come may take.
struct Patience {
  milliseconds empty = kEmptyAfter;
  milliseconds answer{5000};
};

// Takes all that is there for the consumers of a connection, up to the end of the stream; `consumer` is the one that
// was begun last, with this credit, and gets something where any does. Nothing comes from an empty stream.
template <class Take>
Result<> read_to_end(RabbitmqConnection& connection, char consumer, std::uint16_t credit, const Patience& patience,
                     const Take& take) {
  std::uint64_t tag = 0;
  std::size_t outstanding = 0;
  bool has_begun = false;
  const auto take_next = [&](MonoTime deadline) -> Result<bool> {
    Result<std::optional<RabbitmqMessage>> message = connection.receive(deadline);
    if (!message) return std::unexpected(message.error());
    if (!*message) return false;
    tag = (*message)->tag;
    if ((*message)->consumer == consumer) {
      has_begun = true;
      ++outstanding;
    }
    take(std::move(**message));
    return true;
  };
  if (Result<> asked = connection.sync(); !asked) return asked;
  for (;;) {
    const bool had_begun = has_begun;
    if (Result<> asked = connection.sync(); !asked) return asked;
    while (connection.has_arrived()) {
      if (const Result<bool> took = take_next(now()); !took) return std::unexpected(took.error());
    }
    if (!has_begun) {
      const bool may_be_empty = tag == 0;
      const Result<bool> took = take_next(now() + (may_be_empty ? patience.empty : patience.answer));
      if (!took) return std::unexpected(took.error());
      if (*took) continue;
      if (may_be_empty) return {};
      return std::unexpected(connection.error(ErrorKind::unavailable, "the end of a queue was not told in time"));
    }
    if (!had_begun) continue;
    if (outstanding < credit) return {};
    if (Result<> done = connection.acknowledge(tag); !done) return done;
    outstanding = 0;
  }
}

// Offsets of the records at both ends of a stream, and of the first after a place of choice; none in an empty one.
struct Range {
  std::optional<std::uint64_t> first;
  std::optional<std::uint64_t> last;

  [[nodiscard]] Extent extent() const {
    if (!first || !last) return {};
    return {.before_first = place_before(*first), .last = place_of_offset(*last), .added = 0, .incarnation = {}};
  }
};

// On a connection that does nothing else. `first` is the first record from `start` on.
Result<Range> measure(RabbitmqConnection& connection, const std::string& queue, const StreamStart& start = FirstChunk{},
                      const Patience& patience = {}) {
  constexpr char kFirst = 'f';
  constexpr char kLast = 'l';
  if (Result<> begun = connection.consume(queue, kFirst, start, 1); !begun) return std::unexpected(begun.error());
  if (Result<> begun = connection.consume(queue, kLast, LastChunk{}, kCredit); !begun) {
    return std::unexpected(begun.error());
  }
  Range range;
  Result<> read = read_to_end(connection, kLast, kCredit, patience, [&](const RabbitmqMessage& message) {
    std::optional<std::uint64_t>& end = message.consumer == kFirst ? range.first : range.last;
    if (message.consumer == kLast || !end) end = message.offset;
  });
  if (!read) return std::unexpected(read.error());
  if (Result<> ended = connection.reopen_channel(); !ended) return std::unexpected(ended.error());
  return range;
}

class RabbitmqReader final : public BrokerReader {
 public:
  RabbitmqReader(const RabbitmqAddress& address, const RabbitmqOptions& options)
      : options_(options), records_(address, options.access), questions_(address, options.access) {}

  Result<Extent> connect() override {
    if (Result<> connected = questions_.connect(); !connected) return std::unexpected(connected.error());
    if (Result<> there =
            ensure_stream(questions_, options_.queue, {.age = options_.access.retention}, options_.access.may_create);
        !there) {
      return std::unexpected(there.error());
    }
    if (Result<> connected = records_.connect(); !connected) return std::unexpected(connected.error());
    return extent();
  }

  Result<Extent> look() override {
    // Whoever is not ready for records does not read() them for a while.
    if (records_.is_open()) {
      if (Result<> beaten = records_.beat(); !beaten) return std::unexpected(beaten.error());
    }
    return extent();
  }

  // The time is that of a chunk, and in whole seconds.
  Result<Place> place_at(WallTime time) override {
    const Result<Range> range = measure(questions_, options_.queue, AtTime{time});
    if (!range) return std::unexpected(range.error());
    if (range->first) return place_before(*range->first);
    return range->last ? place_of_offset(*range->last) : Place();
  }

  Result<> seek(const Place& after) override {
    next_ = after.at(0).high;
    gap_ = std::nullopt;
    if (Result<> connected = records_.connect(); !connected) return connected;
    // The server takes an offset beyond its end for the end, and gives nothing until it gets there.
    if (next_ > 0) {
      if (const Result<Extent> there = extent(); !there) return std::unexpected(there.error());
      if (end_ < next_) gap_ = GapReason::epoch;
      if (gap_) return {};
    }
    // Where we were, the last record must be the one that we had: another stream of this name may be as long.
    is_witness_due_ = witness_ && witness_->offset + 1 == next_;
    return records_.consume(options_.queue, 'r', AtOffset{is_witness_due_ ? next_ - 1 : next_}, kCredit);
  }

  Result<Batch> read(milliseconds wait) override {
    if (gap_) return Batch{.records = {}, .gap = gap_};
    Batch batch;
    std::optional<Hole> hole;  // the first
    std::uint64_t tag = 0;
    std::size_t bytes = 0;
    MonoTime deadline = now() + wait;
    MonoTime gather_until{};
    while (!gap_ && batch.records.size() < kReadRecordsMax && bytes < kReadBytesMax) {
      Result<std::optional<RabbitmqMessage>> message = records_.receive(deadline);
      if (!message) return std::unexpected(message.error());
      if (!*message) break;
      tag = (*message)->tag;
      if (std::exchange(is_witness_due_, false)) check_witness(**message);
      if (gap_ || (*message)->offset < next_) continue;
      if ((*message)->offset > next_ && !hole) {
        hole = Hole{.from = next_, .records_before = batch.records.size()};
        gather_until = now() + kGatherMax;
      }
      bytes += (*message)->bytes.size();
      next_ = (*message)->offset + 1;
      batch.records.push_back(record_of(std::move(**message)));
      deadline = hole ? std::min(now() + kSoon, gather_until) : MonoTime{};
    }
    if (hole) {
      if (Result<> checked = check_hole(*hole, batch); !checked) return std::unexpected(checked.error());
    }
    if (Result<> done = tag != 0 ? acknowledge(tag) : resume_if_cancelled(); !done)
      return std::unexpected(done.error());
    remember(batch);
    batch.gap = gap_;
    return batch;
  }

 private:
  struct Hole {
    std::uint64_t from = 0;
    std::size_t records_before = 0;  // in the batch
  };
  // A record that was read, to be known again.
  struct Witness {
    std::uint64_t offset = 0;
    std::size_t hash = 0;
  };

  static std::size_t hash_of(const std::string& id, const std::string& bytes) {
    return std::hash<std::string>()(bytes) ^ (std::hash<std::string>()(id) * 31);
  }

  // When a record came: every node reads the same from the record itself, where it was stamped. A stamp that lies in
  // the future is none.
  static BrokerRecord record_of(RabbitmqMessage&& message) {
    constexpr std::chrono::minutes kClocksApart{1};
    const WallTime wall = SystemClock().wall_now();
    const bool is_stamped = message.stamped_at && *message.stamped_at <= wall + kClocksApart;
    return {.lane = 0,
            .offset = {.high = message.offset + 1},
            .logged_at = is_stamped ? *message.stamped_at : wall,
            .id = std::move(message.id),
            .bytes = std::move(message.bytes)};
  }

  Result<Extent> extent() {
    Result<Range> range = measure(questions_, options_.queue);
    // That what was there is not there any more wants more than a moment's silence.
    if (range && !range->last && end_ > 0)
      range = measure(questions_, options_.queue, FirstChunk{}, {.empty = options_.access.timeout});
    if (!range) return std::unexpected(range.error());
    end_ = range->last ? *range->last + 1 : 0;
    return range->extent();
  }

  // The record before the one that we want.
  void check_witness(const RabbitmqMessage& message) {
    if (message.offset + 1 != next_) return;
    if (hash_of(message.id, message.bytes) != witness_->hash) gap_ = GapReason::epoch;
  }

  // A stream is trimmed from its beginning: where it still begins before the first hole, all holes are the server's.
  Result<> check_hole(const Hole& hole, Batch& batch) {
    const Result<Extent> there = extent();
    if (!there) return std::unexpected(there.error());
    if (end_ < next_) {
      gap_ = GapReason::epoch;
    } else if (there->before_first.at(0).high > hole.from) {
      gap_ = GapReason::trimmed;
    }
    if (gap_) batch.records.resize(hole.records_before);
    return {};
  }

  Result<> acknowledge(std::uint64_t tag) { return records_.was_cancelled() ? Result<>() : records_.acknowledge(tag); }

  // The server has ended our consumer when the stream is deleted, or moves to another node of the cluster.
  Result<> resume_if_cancelled() {
    if (!records_.was_cancelled()) return {};
    const Result<bool> has = questions_.has_queue(options_.queue);
    if (!has) return std::unexpected(has.error());
    if (*has) return seek(place_before(next_));
    gap_ = GapReason::epoch;
    return {};
  }

  void remember(const Batch& batch) {
    if (batch.records.empty()) return;
    const BrokerRecord& last = batch.records.back();
    witness_ = Witness{.offset = last.offset.high - 1, .hash = hash_of(last.id, last.bytes)};
  }

  const RabbitmqOptions& options_;
  RabbitmqConnection records_;    // what read() reads
  RabbitmqConnection questions_;  // everything else
  std::uint64_t next_ = 0;        // the least offset that the next record can have
  std::uint64_t end_ = 0;         // behind the last record, when we looked
  std::optional<Witness> witness_;
  bool is_witness_due_ = false;
  std::optional<GapReason> gap_;
};

class RabbitmqWriter final : public BrokerWriter {
 public:
  RabbitmqWriter(const RabbitmqAddress& address, const RabbitmqOptions& options)
      : options_(options),
        notes_(options.queue + ".notes"),
        records_(address, options.access),
        questions_(address, options.access) {}

  Result<> connect() override {
    questions_.close();
    if (Result<> connected = records_.connect(); !connected) return connected;
    const bool may_create = options_.access.may_create;
    if (Result<> there = ensure_stream(records_, options_.queue, {.age = options_.access.retention}, may_create);
        !there)
      return there;
    if (Result<> there = ensure_stream(records_, notes_, {.bytes = kNotesBytesMax}, may_create); !there) return there;
    return records_.select_confirms();
  }

  std::vector<std::string> warnings() override {
    return {
        "RabbitMQ acknowledges a record of a stream when most of the queue's replicas have it in memory; no setting "
        "makes it wait for a disk, and it does not say how many replicas there are: run three nodes or more, for with "
        "one, what was acknowledged in the last seconds before its machine loses power is lost"};
  }

  Result<std::vector<Stood>> append(std::span<const Record> records) override {
    const WallTime wall = SystemClock().wall_now();
    for (const Record& record : records) {
      if (Result<> sent = records_.publish(options_.queue, record.id, record.bytes, wall); !sent) {
        return std::unexpected(sent.error());
      }
    }
    if (Result<> confirmed = records_.await_confirms(); !confirmed) return std::unexpected(confirmed.error());
    return std::vector<Stood>(records.size());
  }

  Result<> append_note(std::string_view note) override {
    if (Result<> sent = records_.publish(notes_, {}, note, SystemClock().wall_now()); !sent) return sent;
    return records_.await_confirms();
  }

  Result<std::vector<std::string>> read_notes() override {
    std::vector<std::string> notes;
    if (Result<> ready = connect_questions(); !ready) return std::unexpected(ready.error());
    if (Result<> begun = questions_.consume(notes_, 'n', FirstChunk{}, kNotesCredit); !begun) {
      return std::unexpected(begun.error());
    }
    Result<> read = read_to_end(questions_, 'n', kNotesCredit, Patience{},
                                [&](RabbitmqMessage message) { notes.push_back(std::move(message.bytes)); });
    if (!read) return std::unexpected(read.error());
    if (Result<> ended = questions_.reopen_channel(); !ended) return std::unexpected(ended.error());
    return notes;
  }

  Result<Place> end() override {
    if (Result<> ready = connect_questions(); !ready) return std::unexpected(ready.error());
    const Result<Range> range = measure(questions_, options_.queue);
    if (!range) return std::unexpected(range.error());
    return range->extent().last;
  }

 private:
  Result<> connect_questions() { return questions_.is_open() ? Result<>() : questions_.connect(); }

  const RabbitmqOptions& options_;
  std::string notes_;
  RabbitmqConnection records_;
  RabbitmqConnection questions_;
};

class RabbitmqBroker final : public Broker {
 public:
  RabbitmqBroker(RabbitmqAddress address, RabbitmqOptions options)
      : address_(std::move(address)), options_(std::move(options)) {}

  std::unique_ptr<BrokerReader> make_reader() const override {
    return std::make_unique<RabbitmqReader>(address_, options_);
  }
  std::unique_ptr<BrokerWriter> make_writer() const override {
    return std::make_unique<RabbitmqWriter>(address_, options_);
  }
  char letter() const override { return 'q'; }
  std::string name() const override {
    return fmt::format("RabbitMQ at {}, queue {}", address_.server.address(), options_.queue);
  }

 private:
  RabbitmqAddress address_;
  RabbitmqOptions options_;
};

}  // namespace

Result<std::unique_ptr<Broker>> make_rabbitmq_broker(RabbitmqOptions options) {
  Result<RabbitmqAddress> address = parse_rabbitmq_url(options.access.url);
  if (!address) return std::unexpected(address.error());
  if (options.queue.empty()) return fail(ErrorKind::invalid, "the name of the RabbitMQ queue is empty");
  return std::make_unique<RabbitmqBroker>(*std::move(address), std::move(options));
}

}  // namespace carillon::eventlog
