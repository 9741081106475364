#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "campaign/batch_publisher.hpp"
#include "campaign/campaign_audit.hpp"
#include "campaign/device.hpp"
#include "campaign/streams.hpp"
#include "load/report.hpp"
#include "load/target.hpp"
#include "runtime/loop.hpp"

namespace carillon::campaign {

struct CampaignOptions {
  std::uint32_t users = 60;
  std::uint32_t publishers = 4;
  double events_per_second = 2500;
  std::uint64_t seed = 1;
  Streams::Order order = Streams::Order::whole;  // what the server's log promises
  bool many_nodes = false;                       // behind the one address
};

// Publishers and clients on one thread, for a server that somebody else kills and starts again. Calls are for one other
// thread, in the order of the methods.
class Campaign {
 public:
  Campaign(const bench::Target& target, const CampaignOptions& options);
  ~Campaign();
  Campaign(const Campaign&) = delete;
  Campaign& operator=(const Campaign&) = delete;

  // Connects the clients. False when they are not all live within `patience`.
  [[nodiscard]] bool open(milliseconds patience);
  // Publishes from now on, while the server dies as often as it likes.
  void begin();
  // Ends the publishing, and waits until every call is answered and every client has everything, and then has begun
  // anew; the server must stay. False when that did not come within `patience`.
  [[nodiscard]] bool finish(milliseconds patience);
  [[nodiscard]] bench::Report report();

 private:
  [[nodiscard]] bool wait_for(milliseconds patience, bool (Campaign::*holds)() const);
  [[nodiscard]] bool are_all_live() const;
  [[nodiscard]] bool is_all_over() const;

  CampaignAudit audit_;
  SystemClock clock_;
  runtime::LoopThread thread_;

  // Of the thread, once it runs.
  bench::ConnectionRoom room_;
  bench::Faults faults_;
  std::vector<std::unique_ptr<Device>> devices_;
  std::vector<std::unique_ptr<BatchPublisher>> publishers_;
};

}  // namespace carillon::campaign
