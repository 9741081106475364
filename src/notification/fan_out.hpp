#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "event/position.hpp"
#include "event/publication.hpp"
#include "hub/hub.hpp"
#include "runtime/credit.hpp"
#include "runtime/loop.hpp"

namespace carillon::notification {

// Hands publications to the hub of every shard, in order. What is on its way to a shard, or in its hub and not told to
// all of its clients, is bounded: a shard that does not keep up pauses the following of the log, which keeps the
// events. Notification thread, but for what comes before.
class FanOut {
 public:
  // `loop` is the thread that `hub` lives on and delivers at its turns' ends. Both outlive the fan-out's last
  // publish().
  void add(runtime::Loop& loop, hub::Hub& hub);
  // Tells every hub where the log stood when this node began to follow it. After the last add(), before anything else.
  void set_origin(const Position& position);

  // What the log kept from before its first record. Before the first publish().
  void remember(std::vector<PublicationPtr> publications);
  void publish(std::vector<PublicationPtr> publications);
  void close();  // any thread

 private:
  static constexpr std::uint64_t kUnderWayMax = 8192;  // publications, per shard

  struct Shard {
    Shard(runtime::Loop& l, hub::Hub& h) : loop(l), hub(h) {}
    void give_back_settled();
    runtime::Loop& loop;
    hub::Hub& hub;
    runtime::Credit credit{kUnderWayMax};
    std::uint64_t given_back = 1;  // for everything before this sequence; the loop's
  };
  // Waits while a shard has too much under way. After close() it does nothing.
  void post(std::vector<PublicationPtr> publications,
            void (*take)(Shard& shard, std::span<const PublicationPtr> publications));
  std::vector<std::unique_ptr<Shard>> shards_;
};

}  // namespace carillon::notification
