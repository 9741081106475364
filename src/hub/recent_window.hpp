#pragma once

#include <cstdint>
#include <deque>
#include <utility>

#include "base/clock.hpp"
#include "base/ensure.hpp"
#include "event/publication.hpp"

namespace carillon::hub {

struct WindowLimits {
  milliseconds age{std::chrono::hours{1}};
  std::uint64_t bytes = 256ULL * 1024 * 1024;
};

// The publications of the recent past, in order and without holes: what a client that fell behind reads from, so that
// it costs a number and not a copy. The events themselves are shared by all shards. Shard-confined.
class RecentWindow {
 public:
  explicit RecentWindow(const WindowLimits& limits) : limits_(limits) {}

  // `publication` follows the last one.
  void append(PublicationPtr publication) {
    ensure(publications_.empty() || publication->sequence == end_, "publications come in order and without holes");
    end_ = publication->sequence + 1;
    bytes_ += publication->frame.size();
    publications_.push_back(std::move(publication));
  }

  // Lets go of what is older or more than the limits allow.
  void trim(MonoTime now) {
    while (!publications_.empty() &&
           (bytes_ > limits_.bytes || now - publications_.front()->published_at > limits_.age)) {
      bytes_ -= publications_.front()->frame.size();
      before_ = publications_.front()->position;
      publications_.pop_front();
    }
  }

  [[nodiscard]] std::uint64_t begin() const { return end_ - publications_.size(); }
  [[nodiscard]] std::uint64_t end() const { return end_; }  // the sequence that comes next
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  // The position of the publication before begin(); where we began to follow the log when there was none.
  [[nodiscard]] const Position& position_before() const { return before_; }
  void set_position_before(Position position) {
    if (publications_.empty() && before_.empty()) before_ = std::move(position);
  }
  // `sequence` is within [begin, end).
  [[nodiscard]] const Publication& at(std::uint64_t sequence) const { return *publications_[sequence - begin()]; }

 private:
  WindowLimits limits_;
  std::deque<PublicationPtr> publications_;
  Position before_;
  std::uint64_t end_ = 1;
  std::uint64_t bytes_ = 0;
};

}  // namespace carillon::hub
