#include "notification/fan_out.hpp"

#include <utility>

namespace carillon::notification {

void FanOut::add(runtime::Loop& loop, hub::Hub& hub) {
  shards_.push_back(std::make_unique<Shard>(loop, hub));
}

void FanOut::set_origin(const Position& position) {
  for (const auto& shard : shards_) shard->loop.post([position, hub = &shard->hub] { hub->set_origin(position); });
}

void FanOut::post(std::vector<PublicationPtr> publications, Take take) {
  if (publications.empty()) return;
  const auto shared = std::make_shared<const std::vector<PublicationPtr>>(std::move(publications));
  for (const auto& shard : shards_) {
    if (!shard->credit.take(shared->size())) return;
    shard->loop.post([shared, take, to = shard.get()] {
      (to->hub.*take)(*shared);
      to->credit.give_back(shared->size());
    });
  }
}

void FanOut::close() {
  for (const auto& shard : shards_) shard->credit.close();
}

}  // namespace carillon::notification
