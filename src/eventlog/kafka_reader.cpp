#include "eventlog/kafka_reader.hpp"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <chrono>
#include <numeric>
#include <string>
#include <utility>

namespace carillon::eventlog {
namespace {

constexpr std::size_t kBatchRecordsMax = 4096;
constexpr std::size_t kBatchBytesMax = std::size_t{4} << 20;
// A fetch brings up to 512 KiB of each lane, one lane after the other: enough for the last of them to show up.
constexpr std::size_t kStagedBytesMax = kLanesMax * (std::size_t{512} << 10);

struct MessageDestroy {
  void operator()(rd_kafka_message_t* message) const { rd_kafka_message_destroy(message); }
};
using Message = std::unique_ptr<rd_kafka_message_t, MessageDestroy>;

Place place_before(const std::vector<std::int64_t>& offsets) {
  std::vector<Offset> lanes;
  lanes.reserve(offsets.size());
  for (const std::int64_t offset : offsets) lanes.push_back({.high = static_cast<std::uint64_t>(offset), .low = 0});
  return Place(std::move(lanes));
}

std::string id_of(const rd_kafka_message_t& message) {
  rd_kafka_headers_t* headers = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  if (rd_kafka_header_get_last(headers, "id", &value, &size) != RD_KAFKA_RESP_ERR_NO_ERROR || value == nullptr) {
    return {};
  }
  return {static_cast<const char*>(value), size};
}

BrokerRecord record_of(const rd_kafka_message_t& message) {
  const std::int64_t time = rd_kafka_message_timestamp(&message, nullptr);
  BrokerRecord record{.lane = static_cast<std::uint32_t>(message.partition),
                      .offset = {.high = static_cast<std::uint64_t>(message.offset) + 1, .low = 0},
                      .logged_at = WallTime(milliseconds{std::max<std::int64_t>(time, 0)}),
                      .id = id_of(message),
                      .bytes = {}};
  if (message.payload != nullptr) record.bytes.assign(static_cast<const char*>(message.payload), message.len);
  return record;
}

}  // namespace

KafkaClient::Settings kafka_log_settings(milliseconds retention) {
  return {{"max.message.bytes", std::to_string((1 << 20) + (64 << 10))},
          {"retention.ms", std::to_string(retention == milliseconds{0} ? -1 : retention.count())}};
}

Result<Extent> KafkaReader::connect() {
  close();
  auto asking = KafkaClient::make(options_, KafkaClient::Role::reader);
  if (!asking) return std::unexpected(asking.error());
  if (const auto opened = (*asking)->open(options_.topic, -1, kafka_log_settings(options_.access.retention)); !opened) {
    return std::unexpected(opened.error());
  }
  asking_ = std::move(*asking);
  return look();
}

void KafkaReader::close() {
  stop_following();
  following_.reset();
  asking_.reset();
}

void KafkaReader::stop_following() {
  if (queue_ != nullptr) {
    for (std::size_t lane = 0; lane < lanes_.size(); ++lane) {
      rd_kafka_consume_stop(following_->topic(options_.topic), static_cast<std::int32_t>(lane));
    }
    rd_kafka_queue_destroy(std::exchange(queue_, nullptr));
  }
  lanes_.clear();
  awaited_ = staged_records_ = staged_bytes_ = 0;
  gap_.reset();
}

Result<Extent> KafkaReader::look() {
  if (!asking_) return fail(ErrorKind::unavailable, "not connected to Kafka");
  const auto topic = asking_->describe(options_.topic);
  if (!topic) return std::unexpected(topic.error());
  if (!*topic) {
    return std::unexpected(
        asking_->error(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, "looking at topic " + options_.topic));
  }
  const std::size_t lanes = (*topic)->lanes;
  const auto first = asking_->offsets(options_.topic, std::vector(lanes, KafkaClient::kFirst));
  if (!first) return std::unexpected(first.error());
  const auto same = is_same_log(*first);
  if (!same) return std::unexpected(same.error());
  const auto next = asking_->offsets(options_.topic, std::vector(lanes, KafkaClient::kNext));
  if (!next) return std::unexpected(next.error());
  auto cluster = asking_->cluster();
  if (!cluster) return std::unexpected(cluster.error());
  if (!*same) is_another_ = true;
  if (queue_ != nullptr && lanes > lanes_.size()) {
    if (const auto following = follow_new(*first); !following) return std::unexpected(following.error());
  }
  return Extent{.before_first = place_before(*first),
                .last = place_before(*next),
                .added = static_cast<std::uint64_t>(std::accumulate(next->begin(), next->end(), std::int64_t{0})),
                .incarnation = std::move(*cluster)};
}

// A topic that is deleted and made anew is another one in silence, once it has grown beyond where we are. But it cannot
// have what a witness has seen: all its records are younger, so the first of them is the first after that time.
Result<bool> KafkaReader::is_same_log(const std::vector<std::int64_t>& first) {
  witnesses_.resize(first.size());
  std::vector<std::int64_t> times(first.size(), KafkaClient::kNext);
  for (std::size_t lane = 0; lane < first.size(); ++lane) {
    Witness& witness = witnesses_[lane];
    // It may go back: a broker that is killed forgets what was trimmed last.
    if (first[lane] > witness.first) witness.time = 0;
    witness.first = first[lane];
    if (witness.time != 0) {
      times[lane] = witness.time;
    } else if (lane < lanes_.size() && lanes_[lane].oldest_time < lanes_[lane].newest_time) {
      times[lane] = lanes_[lane].newest_time;
    }
  }
  const auto found = asking_->offsets(options_.topic, times);
  if (!found) return std::unexpected(found.error());
  for (std::size_t lane = 0; lane < first.size(); ++lane) {
    if (times[lane] == KafkaClient::kNext) continue;
    const bool is_later = (*found)[lane] > first[lane];
    if (witnesses_[lane].time != 0 && !is_later) return false;
    if (is_later) witnesses_[lane].time = times[lane];
  }
  return true;
}

Result<Place> KafkaReader::place_at(WallTime time) {
  if (!asking_) return fail(ErrorKind::unavailable, "not connected to Kafka");
  const auto topic = asking_->describe(options_.topic);
  if (!topic) return std::unexpected(topic.error());
  const std::size_t lanes = *topic ? (*topic)->lanes : 0;
  if (lanes == 0) return Place();
  // The ends first: what comes after them is later than `time` for sure.
  const auto ends = asking_->offsets(options_.topic, std::vector(lanes, KafkaClient::kNext));
  if (!ends) return std::unexpected(ends.error());
  const auto wanted = std::max<std::int64_t>(time.time_since_epoch().count(), 0);
  auto offsets = asking_->offsets(options_.topic, std::vector(lanes, wanted));
  if (!offsets) return std::unexpected(offsets.error());
  for (std::size_t lane = 0; lane < lanes; ++lane) {
    if ((*offsets)[lane] < 0) (*offsets)[lane] = (*ends)[lane];
  }
  return place_before(*offsets);
}

Result<> KafkaReader::seek(const Place& after) {
  if (!asking_) return fail(ErrorKind::unavailable, "not connected to Kafka");
  stop_following();
  if (!following_) {
    auto following = KafkaClient::make(options_, KafkaClient::Role::reader);
    if (!following) return std::unexpected(following.error());
    following_ = std::move(*following);
  }
  const auto topic = following_->describe(options_.topic);
  if (!topic) return std::unexpected(topic.error());
  const std::size_t lanes = *topic ? (*topic)->lanes : 0;
  if (lanes == 0) return fail(ErrorKind::unavailable, "Kafka has lost topic " + options_.topic);
  const auto ends = asking_->offsets(options_.topic, std::vector(lanes, KafkaClient::kNext));
  if (!ends) return std::unexpected(ends.error());
  queue_ = rd_kafka_queue_new(following_->handle());
  for (std::size_t lane = 0; lane < lanes; ++lane) {
    if (auto started = start(lane, static_cast<std::int64_t>(after.at(lane).high)); !started) return started;
    if (lanes > 1) lanes_[lane].history = (*ends)[lane];
  }
  count_awaited();
  return {};
}

Result<> KafkaReader::start(std::size_t lane, std::int64_t next) {
  lanes_.push_back({.next = next, .history = 0, .staged = {}, .oldest_time = 0, .newest_time = 0});
  rd_kafka_topic_t* const topic = following_->topic(options_.topic);
  if (rd_kafka_consume_start_queue(topic, static_cast<std::int32_t>(lane), next, queue_) == 0) return {};
  return std::unexpected(following_->error(rd_kafka_last_error(), "following topic " + options_.topic));
}

Result<> KafkaReader::follow_new(const std::vector<std::int64_t>& first) {
  const auto topic = following_->describe(options_.topic);
  if (!topic) return std::unexpected(topic.error());
  const std::size_t known = *topic ? (*topic)->lanes : 0;
  for (std::size_t lane = lanes_.size(); lane < std::min(known, first.size()); ++lane) {
    if (lane >= kLanesMax) {
      return fail(ErrorKind::invalid,
                  fmt::format("topic {} has grown to {} partitions, and a position holds at most {}", options_.topic,
                              known, kLanesMax));
    }
    if (auto started = start(lane, first[lane]); !started) return started;
  }
  return {};
}

Result<BrokerReader::Batch> KafkaReader::read(milliseconds wait) {
  if (queue_ == nullptr) return fail(ErrorKind::unavailable, "not connected to Kafka");
  Batch batch;
  if (is_another_) {
    batch.gap = GapReason::epoch;
    return batch;
  }
  if (const auto staged = stage(wait); !staged) return std::unexpected(staged.error());
  hand_over(batch);
  if (staged_records_ == 0) batch.gap = gap_;
  return batch;
}

Result<> KafkaReader::stage(milliseconds wait) {
  const MonoTime deadline = std::chrono::steady_clock::now() + wait;
  while (!gap_) {
    const bool is_enough = staged_records_ >= kBatchRecordsMax || staged_bytes_ >= kBatchBytesMax;
    if (is_enough && (awaited_ == 0 || staged_bytes_ >= kStagedBytesMax)) return {};
    auto took = take_one(milliseconds{0});
    if (!took) return std::unexpected(took.error());
    if (*took) continue;
    if (staged_records_ > 0 && awaited_ == 0) return {};
    const auto left = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
    took = take_one(std::max(left, milliseconds{0}));
    if (!took) return std::unexpected(took.error());
    if (*took) continue;
    // Who let all others wait for so long has nothing, such as the end of a transaction, or no leader.
    if (staged_records_ > 0) {
      for (Lane& lane : lanes_) {
        if (lane.is_awaited()) lane.history = 0;
      }
      count_awaited();
    }
    return {};
  }
  return {};
}

// Not rd_kafka_consume_batch_queue(): in 2.0 it may lose or repeat messages around seeks. Taking them one by one costs
// some 300 ns each.
Result<bool> KafkaReader::take_one(milliseconds wait) {
  const Message message(rd_kafka_consume_queue(queue_, static_cast<int>(wait.count())));
  if (!message) {
    following_->serve(milliseconds{0});
    if (following_->refusal()) return std::unexpected(*following_->refusal());
    if (following_->take_lost()) {
      return std::unexpected(following_->error(RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, "following " + options_.topic));
    }
    return false;
  }
  const auto index = static_cast<std::size_t>(message->partition);
  if (message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET || message->err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE) {
    if (auto classified = classify_gap(index); !classified) return std::unexpected(classified.error());
    return true;
  }
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return std::unexpected(following_->error(message->err, "following topic " + options_.topic));
  }
  Lane& lane = lanes_.at(index);
  if (message->offset < lane.next) return true;
  const bool was_awaited = lane.is_awaited();
  lane.next = message->offset + 1;
  lane.staged.push_back(record_of(*message));
  const BrokerRecord& record = lane.staged.back();
  const std::int64_t time = record.logged_at.time_since_epoch().count();
  if (lane.oldest_time == 0 || time < lane.oldest_time) lane.oldest_time = time;
  lane.newest_time = std::max(lane.newest_time, time);
  ++staged_records_;
  staged_bytes_ += record.bytes.size();
  if (was_awaited) --awaited_;
  return true;
}

// The broker has nothing at our offset: it is before the first one, or after the last one, of another topic then.
Result<> KafkaReader::classify_gap(std::size_t lane) {
  const auto first = asking_->offsets(options_.topic, std::vector(lanes_.size(), KafkaClient::kFirst));
  if (!first) return std::unexpected(first.error());
  gap_ = (*first)[lane] > lanes_[lane].next ? GapReason::trimmed : GapReason::epoch;
  return {};
}

void KafkaReader::hand_over(Batch& batch) {
  const bool is_patient = !gap_ && staged_bytes_ < kStagedBytesMax;
  std::size_t bytes = 0;
  while (staged_records_ > 0 && batch.records.size() < kBatchRecordsMax && bytes < kBatchBytesMax) {
    if (is_patient && awaited_ > 0) return;
    Lane& lane = lanes_[earliest()];
    const std::size_t size = lane.staged.front().bytes.size();
    batch.records.push_back(std::move(lane.staged.front()));
    lane.staged.pop_front();
    --staged_records_;
    staged_bytes_ -= size;
    bytes += size;
    if (lane.is_awaited()) ++awaited_;
  }
}

std::size_t KafkaReader::earliest() const {
  std::size_t best = lanes_.size();
  for (std::size_t lane = 0; lane < lanes_.size(); ++lane) {
    if (lanes_[lane].staged.empty()) continue;
    if (best == lanes_.size() || lanes_[lane].staged.front().logged_at < lanes_[best].staged.front().logged_at)
      best = lane;
  }
  return best;
}

void KafkaReader::count_awaited() {
  awaited_ = static_cast<std::size_t>(std::ranges::count_if(lanes_, &Lane::is_awaited));
}

}  // namespace carillon::eventlog
