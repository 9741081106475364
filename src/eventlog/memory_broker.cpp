#include "eventlog/memory_broker.hpp"

#include <algorithm>
#include <functional>
#include <span>
#include <string_view>

#include "base/ensure.hpp"

namespace carillon::eventlog {
namespace {

constexpr std::size_t kBatchMax = 4096;
constexpr std::chrono::seconds kTestPatience{60};
constexpr milliseconds kReadWaitMax{5};  // so that who reads is soon asked whether to stop

Error lost() {
  return {ErrorKind::unavailable, "memory broker: the connection is lost"};
}

}  // namespace

// One thread.
class MemoryReader final : public BrokerReader {
 public:
  explicit MemoryReader(std::shared_ptr<MemoryServer> server) : server_(std::move(server)) {}

  Result<Extent> connect() override {
    const auto connection = server_->connect();
    connection_ = connection.value_or(0);
    if (!connection) return std::unexpected(connection.error());
    const MemoryServer::Lock lock(server_->mutex_);
    incarnation_ = server_->incarnation_;
    return server_->extent();
  }

  Result<Extent> look() override {
    MemoryServer::Lock lock(server_->mutex_);
    if (auto answered = answer(lock); !answered) return std::unexpected(answered.error());
    return server_->extent();
  }

  Result<Place> place_at(WallTime time) override {
    MemoryServer::Lock lock(server_->mutex_);
    if (auto answered = answer(lock); !answered) return std::unexpected(answered.error());
    Place place = server_->extent().before_first;
    for (std::uint32_t lane = 0; lane < server_->lanes_.size(); ++lane) {
      for (const BrokerRecord& record : server_->lanes_[lane].records) {
        if (record.logged_at >= time) break;
        place.pass(lane, record.offset);
      }
    }
    return place;
  }

  Result<> seek(const Place& after) override {
    MemoryServer::Lock lock(server_->mutex_);
    if (auto answered = answer(lock); !answered) return answered;
    passed_ = after;
    return {};
  }

  Result<Batch> read(milliseconds wait) override {
    MemoryServer::Lock lock(server_->mutex_);
    server_->changed_.wait_for(lock, std::min(wait, kReadWaitMax), [&] {
      return !server_->check(connection_) || (!server_->holds_answers_ && (gap() || has_more()));
    });
    // An answer that is held is none within `wait`, which is no error yet.
    if (server_->holds_answers_ && server_->check(connection_)) return Batch{};
    if (auto answered = answer(lock); !answered) return std::unexpected(answered.error());
    Batch batch{.records = {}, .gap = gap()};
    if (!batch.gap) take(batch.records);
    return batch;
  }

 private:
  Result<> answer(MemoryServer::Lock& lock) {
    auto answered = server_->answer(lock, connection_);
    if (!answered) connection_ = 0;
    return answered;
  }
  [[nodiscard]] std::optional<GapReason> gap() const {
    if (server_->options_.says_incarnation && incarnation_ != server_->incarnation_) return GapReason::epoch;
    for (std::uint32_t lane = 0; lane < server_->lanes_.size(); ++lane) {
      if (passed_.at(lane) < server_->lanes_[lane].before_first) return GapReason::trimmed;
    }
    return std::nullopt;
  }
  [[nodiscard]] bool has_more() const {
    for (std::uint32_t lane = 0; lane < server_->lanes_.size(); ++lane) {
      if (passed_.at(lane) < server_->lanes_[lane].last()) return true;
    }
    return false;
  }
  void take(std::vector<BrokerRecord>& records) {
    for (std::uint32_t lane = 0; lane < server_->lanes_.size(); ++lane) {
      const MemoryServer::Lane& held = server_->lanes_[lane];
      std::uint64_t next = passed_.at(lane).high - held.before_first.high;
      for (; next < held.records.size() && records.size() < kBatchMax; ++next) {
        records.push_back(held.records[next]);
        passed_.pass(lane, records.back().offset);
      }
    }
  }

  std::shared_ptr<MemoryServer> server_;
  std::uint64_t connection_ = 0;
  std::uint64_t incarnation_ = 0;  // of the log at connect()
  Place passed_;
};

// One thread.
class MemoryWriter final : public BrokerWriter {
 public:
  explicit MemoryWriter(std::shared_ptr<MemoryServer> server) : server_(std::move(server)) {}

  Result<> connect() override {
    const auto connection = server_->connect();
    connection_ = connection.value_or(0);
    if (!connection) return std::unexpected(connection.error());
    return {};
  }

  std::vector<std::string> warnings() override { return {}; }

  Result<std::vector<Stood>> append(std::span<const Record> records) override {
    MemoryServer::Lock lock(server_->mutex_);
    if (auto open = check(); !open) return std::unexpected(open.error());
    if (server_->append_refusal_) return std::unexpected(drop(*server_->append_refusal_));
    std::vector<Stood> stood;
    for (const Record& record : records) stood.push_back(server_->store(record));
    server_->changed_.notify_all();
    if (std::exchange(server_->loses_next_, false)) return std::unexpected(drop(lost()));
    if (auto answered = server_->answer(lock, connection_); !answered) {
      return std::unexpected(drop(std::move(answered.error())));
    }
    return stood;
  }

  Result<> append_note(std::string_view note) override {
    MemoryServer::Lock lock(server_->mutex_);
    if (auto open = check(); !open) return open;
    server_->notes_.emplace_back(note);
    return answer(lock);
  }

  Result<std::vector<std::string>> read_notes() override {
    MemoryServer::Lock lock(server_->mutex_);
    if (auto answered = answer(lock); !answered) return std::unexpected(answered.error());
    return server_->notes_;
  }

  Result<Place> end() override {
    MemoryServer::Lock lock(server_->mutex_);
    if (auto answered = answer(lock); !answered) return std::unexpected(answered.error());
    return server_->extent().last;
  }

 private:
  Result<> check() {
    auto open = server_->check(connection_);
    if (!open) connection_ = 0;
    return open;
  }
  Result<> answer(MemoryServer::Lock& lock) {
    auto answered = server_->answer(lock, connection_);
    if (!answered) connection_ = 0;
    return answered;
  }
  Error drop(Error error) {
    connection_ = 0;
    return error;
  }

  std::shared_ptr<MemoryServer> server_;
  std::uint64_t connection_ = 0;
};

MemoryServer::MemoryServer(const Options& options, const Clock& clock)
    : options_(options), clock_(clock), lanes_(options.lanes) {}

void MemoryServer::go_down() {
  const std::lock_guard lock(mutex_);
  is_up_ = false;
  ++run_;
  changed_.notify_all();
}

void MemoryServer::come_back() {
  const std::lock_guard lock(mutex_);
  is_up_ = true;
}

void MemoryServer::refuse_appends(std::optional<Error> error) {
  const std::lock_guard lock(mutex_);
  append_refusal_ = std::move(error);
}

void MemoryServer::refuse_connections(std::optional<Error> error) {
  const std::lock_guard lock(mutex_);
  connection_refusal_ = std::move(error);
}

void MemoryServer::hold_answers() {
  const std::lock_guard lock(mutex_);
  holds_answers_ = true;
}

void MemoryServer::give_answers() {
  const std::lock_guard lock(mutex_);
  holds_answers_ = false;
  changed_.notify_all();
}

bool MemoryServer::wait_until_holding() {
  Lock lock(mutex_);
  return changed_.wait_for(lock, kTestPatience, [&] { return held_ > 0; });
}

void MemoryServer::lose_next_answer() {
  const std::lock_guard lock(mutex_);
  loses_next_ = true;
}

void MemoryServer::trim(std::size_t keep) {
  const std::lock_guard lock(mutex_);
  for (Lane& lane : lanes_) {
    for (; lane.records.size() > keep; lane.records.pop_front()) {
      lane.before_first = lane.records.front().offset;
      ids_.erase(lane.records.front().id);
    }
  }
  changed_.notify_all();
}

void MemoryServer::recreate() {
  const std::lock_guard lock(mutex_);
  lanes_.assign(lanes_.size(), {});
  ids_.clear();
  ++incarnation_;
  added_ = 0;
  changed_.notify_all();
}

void MemoryServer::grow(std::uint32_t lanes) {
  const std::lock_guard lock(mutex_);
  ensure(lanes >= lanes_.size(), "a log does not lose lanes");
  lanes_.resize(lanes);
}

void MemoryServer::put(std::string bytes, std::uint32_t lane) {
  const std::lock_guard lock(mutex_);
  add(lane, {}, std::move(bytes));
  changed_.notify_all();
}

void MemoryServer::repeat_last(std::uint32_t lane) {
  const std::lock_guard lock(mutex_);
  const BrokerRecord last = lanes_.at(lane).records.back();
  add(lane, last.id, last.bytes);
  changed_.notify_all();
}

Result<std::uint64_t> MemoryServer::connect() {
  Lock lock(mutex_);
  if (!is_up_) return fail(ErrorKind::unavailable, "memory broker: it is down");
  if (connection_refusal_) return std::unexpected(*connection_refusal_);
  const std::uint64_t connection = run_;
  if (auto answered = answer(lock, connection); !answered) return std::unexpected(answered.error());
  return connection;
}

Result<> MemoryServer::check(std::uint64_t connection) const {
  if (!is_up_ || connection != run_) return std::unexpected(lost());
  return {};
}

Result<> MemoryServer::answer(Lock& lock, std::uint64_t connection) {
  if (auto open = check(connection); !open || !holds_answers_) return open;
  ++held_;
  changed_.notify_all();
  const bool is_given =
      changed_.wait_for(lock, options_.client_patience, [&] { return !holds_answers_ || !check(connection); });
  --held_;
  if (!is_given) return fail(ErrorKind::unavailable, "memory broker: no answer");
  return check(connection);
}

Extent MemoryServer::extent() const {
  std::vector<Offset> before_first;
  std::vector<Offset> last;
  for (const Lane& lane : lanes_) {
    before_first.push_back(lane.before_first);
    last.push_back(lane.last());
  }
  return {.before_first = Place(std::move(before_first)),
          .last = Place(std::move(last)),
          .added = options_.counts_added ? added_ : 0,
          .incarnation = options_.says_incarnation ? std::to_string(incarnation_) : std::string()};
}

BrokerWriter::Stood MemoryServer::store(const Record& record) {
  if (const auto old = ids_.find(record.id); options_.keeps_one_of_repeats && old != ids_.end()) {
    return {.lane = old->second.first, .offset = old->second.second, .is_repeat = true};
  }
  const auto lane = static_cast<std::uint32_t>(std::hash<std::string>()(record.key) % lanes_.size());
  const Offset offset = add(lane, record.id, record.bytes).offset;
  return {.lane = lane, .offset = options_.says_offset ? std::optional(offset) : std::nullopt};
}

const BrokerRecord& MemoryServer::add(std::uint32_t lane, std::string id, std::string bytes) {
  Lane& held = lanes_.at(lane);
  const Offset offset{held.last().high + 1, 0};
  if (!id.empty()) ids_.emplace(id, std::pair(lane, offset));
  held.records.push_back({lane, offset, clock_.wall_now(), std::move(id), std::move(bytes)});
  ++added_;
  return held.records.back();
}

std::unique_ptr<BrokerReader> MemoryBroker::make_reader() const {
  return std::make_unique<MemoryReader>(server_);
}

std::unique_ptr<BrokerWriter> MemoryBroker::make_writer() const {
  return std::make_unique<MemoryWriter>(server_);
}

}  // namespace carillon::eventlog
