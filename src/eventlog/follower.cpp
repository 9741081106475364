#include "eventlog/follower.hpp"

namespace carillon::eventlog {

Follower::Follower(RecordSink& sink, std::uint64_t first, std::uint64_t caught_up_at)
    : sink_(sink), next_(first), caught_up_at_(caught_up_at), caught_up_(first >= caught_up_at) {}

Result<bool> Follower::advance(Journal& journal) {
  // Read before the offer: a sink that has room again before accept() has returned must not be forgotten.
  const std::uint64_t rooms = rooms_.load();
  if (rooms == full_at_) return false;
  if (offer_.empty() && next_ < journal.next_sequence()) {
    Result<> read = journal.read(next_, kChunkRecordsMax, kChunkBytesMax, offer_);
    if (!read) return std::unexpected(read.error());
  }
  if (offer_.empty()) return false;
  const std::size_t offered = offer_.size();
  if (!sink_.accept(offer_)) {
    full_at_ = rooms;
    return rooms_.load() != rooms;
  }
  next_ += offered;
  offer_.clear();
  caught_up_.store(next_ >= caught_up_at_);
  return next_ < journal.next_sequence();
}

}  // namespace carillon::eventlog
