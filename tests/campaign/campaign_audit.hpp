#pragma once

#include <cstdint>
#include <set>
#include <string_view>
#include <vector>

#include "campaign/agreed_order.hpp"
#include "campaign/mark.hpp"
#include "campaign/streams.hpp"
#include "load/faults.hpp"

namespace carillon::campaign {

// What came of a campaign. All but the first three must be 0.
struct Verdict {
  std::uint64_t acknowledged = 0;  // events that a publisher got a 202 for
  std::uint64_t deliveries = 0;    // each counted once per client
  std::uint64_t heartbeats = 0;
  std::uint64_t lost = 0;              // acknowledged, and a client that should have it does not
  std::uint64_t repeated = 0;          //
  std::uint64_t out_of_order = 0;      // behind a later one of its stream, other than other clients saw it, or withheld
  std::uint64_t leaked = 0;            // another user's
  std::uint64_t unannounced_gaps = 0;  // places where events were missing although the server said `complete: true`
  std::uint64_t announced_gaps = 0;    // `complete: false`
  std::uint64_t altered = 0;           // not the bytes that were published, or never published
  std::uint64_t wrong_counts = 0;      // heartbeats whose count was not the client's
  std::uint64_t wrong_states = 0;      // snapshots that were not the user's open orders
};

// Holds what every client of the campaign got, over all its connections, against what the publishers were told is
// accepted. Remembers a number per stream and client, and the order of events between the first and the last client,
// so that the length of a campaign costs no memory. One thread.
class CampaignAudit {
 public:
  static constexpr std::uint32_t kNoUser = UINT32_MAX;

  // `user_of_client`: kNoUser is one for whom there is only what goes to all.
  CampaignAudit(const Streams& streams, const std::vector<std::uint32_t>& user_of_client);

  [[nodiscard]] const Streams& streams() const { return streams_; }

  // Events of the mark's stream up to its number are on their way to the server, and may be delivered from now on.
  void on_begun(const Mark& last);
  // The server has accepted them for good.
  void on_acknowledged(const Mark& last);

  void on_gap(std::uint32_t client, std::string_view reason);  // `complete: false`
  void on_notification(std::uint32_t client, std::string_view text);
  void on_heartbeat(std::uint32_t client, std::uint64_t delivered, std::uint64_t counted);

  // The numbers of the last updates of the user's orders that have not ended, in order; nothing is published any more.
  void on_open(std::uint32_t user, std::vector<std::uint64_t> numbers);
  // A client that begins anew: its snapshot, event by event.
  void begin_snapshot(std::uint32_t client);
  void on_snapshot(std::uint32_t client, std::string_view text);
  void end_snapshot(std::uint32_t client);

  // Whether every client has all that was acknowledged, and nothing waits for its acknowledgement.
  [[nodiscard]] bool is_complete() const;
  // With what is still missing as lost.
  [[nodiscard]] Verdict conclude() const;
  // The first things found, in words.
  [[nodiscard]] const bench::Faults& faults() const { return faults_; }

 private:
  struct Published {
    std::uint64_t begun = 0;
    std::uint64_t acknowledged = 0;
  };
  // What one client got of one stream.
  struct Got {
    std::uint32_t stream;
    std::uint64_t next = 1;
    bool gap_announced = false;         // and nothing came since
    std::set<std::uint64_t> missing{};  // below `next`
  };
  struct Client {
    std::uint32_t user;
    std::size_t follower;                   // among its user's clients
    bool lacks_some = false;                // and so cannot see what others see
    std::vector<std::uint64_t> snapshot{};  // the orders in it
    std::vector<Got> got{};                 // of each stream that is for it
  };

  [[nodiscard]] Client make_client(std::uint32_t user, std::size_t follower) const;
  [[nodiscard]] static Got* got_of(Client& client, std::uint32_t stream);
  // Whether `number` is one that should come now.
  [[nodiscard]] bool take(Got& got, std::uint32_t client, const Mark& mark);
  void jump(Got& got, std::uint32_t client, const Mark& mark);
  [[nodiscard]] bool is_agreed(std::uint32_t client, const Mark& mark);
  [[nodiscard]] AgreedOrder& order_of(std::uint32_t user, std::size_t group) {
    return orders_of_[user * streams_.groups() + group];
  }
  void found(std::uint64_t& figure, std::uint32_t client, std::string_view what, const Mark& mark);

  Streams streams_;
  std::vector<Client> clients_;
  std::vector<std::vector<std::uint64_t>> open_;  // by user
  std::vector<Published> published_;              // by stream
  std::vector<AgreedOrder> orders_of_;            // by user and group of streams: all that its clients see
  std::vector<AgreedOrder> order_of_all_;         // by group: of what goes to all, in all clients
  Verdict verdict_;
  bench::Faults faults_;
};

}  // namespace carillon::campaign
