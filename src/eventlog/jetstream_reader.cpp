#include "eventlog/jetstream_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

namespace carillon::eventlog::jetstream {
namespace {

// Of a batch.
constexpr std::size_t kRecordsMax = 4096;
constexpr std::size_t kBytesMax = std::size_t{4} << 20;

}  // namespace

Result<Extent> Reader::connect() {
  feed_.reset();
  link_.reset();
  stream_ = {};
  auto link = Link::open(target_);
  if (!link) return std::unexpected(link.error());
  if (auto log = prepare_streams(target_, **link); !log) return std::unexpected(log.error());
  link_ = std::move(*link);
  return look();
}

Result<Extent> Reader::look() {
  if (!link_) return target_.not_connected();
  const std::string request = "STREAM.INFO." + target_.options.stream;
  auto info = link_->ask(request);
  if (!info) return std::unexpected(info.error());
  Stream stream = stream_in(info->root());
  const bool has_same_holes =
      stream.created == stream_.created && stream.first == stream_.first && stream.deleted == stream_.deleted;
  if (stream.deleted > kDeletedMax) {
    return target_.error(
        ErrorKind::invalid,
        fmt::format("more than {} records were deleted from the middle of the stream {}: give the events a "
                    "stream of their own, or purge it up to there",
                    kDeletedMax, target_.options.stream));
  }
  if (stream.deleted > 0 && has_same_holes) stream.before_first = std::max(stream.before_first, stream_.before_first);
  if (stream.deleted > 0 && !has_same_holes) {
    info = link_->ask(request, R"({"deleted_details":true})");
    if (!info) return std::unexpected(info.error());
    stream = stream_in(info->root());
  }
  stream_ = stream;
  return Extent{.before_first = Place(Offset{stream.before_first}),
                .last = Place(Offset{stream.last}),
                .added = stream.last,
                .incarnation = stream.created};
}

Result<Place> Reader::place_at(WallTime time) {
  if (!link_) return target_.not_connected();
  auto sequence = sequence_before(*link_, target_.options.stream, time);
  if (!sequence) return std::unexpected(sequence.error());
  return Place(Offset{*sequence});
}

Result<> Reader::seek(const Place& after) {
  if (!link_) return target_.not_connected();
  if (std::exchange(feed_, nullptr)) {
    link_.reset();
    auto link = Link::open(target_);
    if (!link) return std::unexpected(link.error());
    link_ = std::move(*link);
  }
  passed_ = after.at(0).high;
  gap_.reset();
  auto feed = Feed::open(target_, *link_, target_.options.stream, passed_);
  if (!feed) return std::unexpected(feed.error());
  feed_ = std::move(*feed);
  if (feed_->began_after() < passed_) gap_ = GapReason::epoch;
  return {};
}

Result<BrokerReader::Batch> Reader::read(milliseconds wait) {
  if (!feed_) return target_.not_connected();
  Batch batch;
  std::size_t bytes = 0;
  while (!gap_ && batch.records.size() < kRecordsMax && bytes < kBytesMax) {
    auto delivery = feed_->next(batch.records.empty() ? wait : milliseconds(0));
    if (!delivery) {
      // Those that did come are in order, and the next call will say it again.
      if (!batch.records.empty()) return batch;
      return std::unexpected(delivery.error());
    }
    if (!*delivery) break;
    bytes += data_of((*delivery)->message.get()).size();
    take(std::move(**delivery), batch);
  }
  batch.gap = gap_;
  return batch;
}

void Reader::take(Feed::Delivery delivery, Batch& batch) {
  const DeliveryStamp& stamp = delivery.stamp;
  if (stamp.stream_sequence != passed_ + 1) {
    gap_ = stamp.stream_sequence <= passed_ ? GapReason::epoch : GapReason::trimmed;
    return;
  }
  passed_ = stamp.stream_sequence;
  natsMsg* message = delivery.message.get();
  BrokerRecord record{.offset = Offset{passed_}, .logged_at = stamp.stored_at, .id = {}, .bytes = {}};
  // Who may publish under another subject need not be allowed to publish events.
  if (text_or_empty(natsMsg_GetSubject(message)) == target_.options.subject) {
    record.id = header_of(message, kIdHeader);
    record.bytes = data_of(message);
  }
  batch.records.push_back(std::move(record));
}

}  // namespace carillon::eventlog::jetstream
