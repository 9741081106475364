#include "notification/fan_out.hpp"

#include <utility>

namespace carillon::notification {

void FanOut::add(runtime::Loop& loop, hub::Hub& hub) {
  shards_.push_back(std::make_unique<Shard>(loop, hub));
  loop.at_turn_end([shard = shards_.back().get()] { shard->give_back_settled(); });
}

void FanOut::Shard::give_back_settled() {
  const std::uint64_t settled = hub.settled();
  if (settled != given_back) credit.give_back(settled - std::exchange(given_back, settled));
}

void FanOut::remember(std::vector<PublicationPtr> publications) {
  post(std::move(publications), [](Shard& shard, std::span<const PublicationPtr> shared) {
    shard.hub.remember(shared);
    shard.credit.give_back(shared.size());
  });
}

void FanOut::publish(std::vector<PublicationPtr> publications) {
  post(std::move(publications),
       [](Shard& shard, std::span<const PublicationPtr> shared) { shard.hub.publish(shared); });
}

void FanOut::set_origin(const Position& position) {
  for (const auto& shard : shards_) shard->loop.post([position, hub = &shard->hub] { hub->set_origin(position); });
}

void FanOut::post(std::vector<PublicationPtr> publications,
                  void (*take)(Shard& shard, std::span<const PublicationPtr> publications)) {
  if (publications.empty()) return;
  const auto shared = std::make_shared<const std::vector<PublicationPtr>>(std::move(publications));
  for (const auto& shard : shards_) {
    if (!shard->credit.take(shared->size())) return;
    shard->loop.post([shared, take, to = shard.get()] { take(*to, *shared); });
  }
}

void FanOut::close() {
  for (const auto& shard : shards_) shard->credit.close();
}

}  // namespace carillon::notification
