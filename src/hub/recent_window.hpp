#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <utility>

#include "base/clock.hpp"
#include "base/ensure.hpp"
#include "event/place.hpp"
#include "event/publication.hpp"

namespace carillon::hub {

struct WindowLimits {
  milliseconds age{std::chrono::hours{1}};
  std::uint64_t bytes = 256ULL * 1024 * 1024;
};

// The publications of the recent past, in order and without holes: what a client that fell behind or comes back reads
// from, so that it costs a number and not a copy (protocol 6.1). The events themselves are shared by all shards.
// Shard-confined.
class RecentWindow {
 public:
  explicit RecentWindow(const WindowLimits& limits) : limits_(limits) {}

  // Where the log stood before the first publication. Before the first append().
  void set_origin(Position position) {
    ensure(end_ == 1, "the origin is known before anything is published");
    before_ = std::move(position);
  }

  // `publication` follows the last one.
  void append(PublicationPtr publication) {
    ensure(publication->sequence == end_ && publication->ordinal > last_ordinal_,
           "publications come in order and without holes");
    ++end_;
    last_ordinal_ = publication->ordinal;
    bytes_ += cost(*publication);
    publications_.push_back(std::move(publication));
  }

  // Lets go of what is older or more than the limits allow, before `end`.
  void trim(MonoTime now, std::uint64_t end) {
    while (begin() < end && (bytes_ > limits_.bytes || now - publications_.front()->accepted_at > limits_.age)) {
      bytes_ -= cost(*publications_.front());
      before_ = publications_.front()->position;
      publications_.pop_front();
    }
  }

  [[nodiscard]] std::uint64_t begin() const { return end_ - publications_.size(); }
  [[nodiscard]] std::uint64_t end() const { return end_; }  // the sequence that comes next
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  // `sequence` is within [begin, end).
  [[nodiscard]] const Publication& at(std::uint64_t sequence) const { return *publications_[sequence - begin()]; }

  // The publication after which this node is at this place; null when the window has none.
  [[nodiscard]] const Publication* find(const Place& place) const {
    const std::uint64_t after = first_after(place);
    return after > begin() && place_before(after) == place ? &at(after - 1) : nullptr;
  }

  // The position before `sequence`, which is not after end(); that before begin() for what is no longer here.
  [[nodiscard]] const Position& position_before(std::uint64_t sequence) const {
    return sequence <= begin() ? before_ : at(sequence - 1).position;
  }
  [[nodiscard]] Place place_before(std::uint64_t sequence) const { return place_of(position_before(sequence)); }
  // Everything that the log has after `place`, and that is published, is in the window or will be.
  [[nodiscard]] bool goes_back_to(const Place& place) const { return place.covers(place_before(begin())); }
  // This node has published all that comes up to `place`.
  [[nodiscard]] bool has_reached(const Place& place) const { return place_before(end_).covers(place); }
  // The first publication that one who is at `place` may lack; end() when there is none yet. Not all after it are
  // lacked, where the node from which the place is has read the log's lanes in another order.
  [[nodiscard]] std::uint64_t first_after(const Place& place) const {
    const auto found = std::partition_point(publications_.begin(), publications_.end(), [&](const PublicationPtr& p) {
      return place.covers(place_of(p->position));
    });
    return begin() + static_cast<std::uint64_t>(found - publications_.begin());
  }

 private:
  // What a publication takes in memory, about; the heap's own share included.
  static std::uint64_t cost(const Publication& publication) {
    std::uint64_t bytes = sizeof(Publication) + 64 + publication.frame.capacity();
    for (const UserId& user : publication.audience) bytes += sizeof(UserId) + user.size();
    return bytes;
  }

  WindowLimits limits_;
  std::deque<PublicationPtr> publications_;
  Position before_;
  Ordinal last_ordinal_ = 0;
  std::uint64_t end_ = 1;
  std::uint64_t bytes_ = 0;
};

}  // namespace carillon::hub
