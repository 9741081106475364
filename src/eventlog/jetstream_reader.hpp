#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "eventlog/broker.hpp"
#include "eventlog/jetstream_feed.hpp"
#include "eventlog/jetstream_link.hpp"
#include "eventlog/jetstream_streams.hpp"

namespace carillon::eventlog::jetstream {

// Follows a stream. One thread; `target` outlives it.
class Reader final : public BrokerReader {
 public:
  explicit Reader(const Target& target) : target_(target) {}

  Result<Extent> connect() override;
  Result<Extent> look() override;
  Result<Place> place_at(WallTime time) override;
  Result<> seek(const Place& after) override;
  Result<Batch> read(milliseconds wait) override;

 private:
  void take(Feed::Delivery delivery, Batch& batch);

  const Target& target_;
  std::unique_ptr<Link> link_;
  std::unique_ptr<Feed> feed_;
  Stream stream_;             // as last seen
  std::uint64_t passed_ = 0;  // the last record that was read
  std::optional<GapReason> gap_;
};

}  // namespace carillon::eventlog::jetstream
