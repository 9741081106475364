#include "eventlog/follower.hpp"

namespace carillon::eventlog {

Follower::Follower(RecordSink& sink, const Journal& journal)
    : sink_(sink),
      next_(journal.low_sequence()),
      last_kept_(journal.last_kept()),
      end_at_start_(journal.next_sequence()),
      caught_up_(last_kept_ == 0 && next_ == end_at_start_) {}

Result<bool> Follower::advance(Journal& journal) {
  // Read before the offer: a sink that has room again before accept() has returned must not be forgotten.
  const std::uint64_t rooms = rooms_.load();
  if (rooms == full_at_) return false;
  if (offer_.empty()) {
    if (Result<> read = read_on(journal); !read) return std::unexpected(read.error());
  }
  if (offer_.empty()) return false;
  const StoredRecord& last = offer_.back();
  const Ordinal after = last.ordinal + 1;
  const bool is_kept = last.is_kept;
  if (!sink_.accept(offer_)) {
    full_at_ = rooms;
    return rooms_.load() != rooms;
  }
  (is_kept ? next_kept_ : next_) = after;
  offer_.clear();
  caught_up_.store(next_kept_ > last_kept_ && next_ >= end_at_start_);
  return has_more(journal);
}

bool Follower::has_more(const Journal& journal) const {
  return next_kept_ <= last_kept_ || next_ < journal.next_sequence();
}

Result<> Follower::read_on(Journal& journal) {
  if (next_kept_ <= last_kept_) return journal.read_kept(next_kept_, kChunkRecordsMax, kChunkBytesMax, offer_);
  if (next_ == journal.next_sequence()) return {};
  return journal.read(next_, kChunkRecordsMax, kChunkBytesMax, offer_);
}

}  // namespace carillon::eventlog
