#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "campaign/campaign_audit.hpp"
#include "campaign/user_events.hpp"
#include "load/faults.hpp"
#include "load/rest_client.hpp"
#include "load/target.hpp"
#include "runtime/loop.hpp"
#include "runtime/timer_wheel.hpp"

namespace carillon::campaign {

// A producer that never gives up: posts batches of its streams' events, one call at a time, at a steady rate on
// average, and repeats a call with the same bytes until it is answered. Some it repeats although they were. On its
// loop's thread.
class BatchPublisher final : bench::RestClient::Owner, runtime::TimerHandler {
 public:
  struct Plan {
    std::vector<std::uint32_t> users;  // whose events it publishes
    bool signals = false;              // whether those to all come from here
    bool alerts = false;
    // Several nodes append to one log: a call that a node does not answer soon is repeated at whichever takes it, and
    // of what is repeated any part may be in the log.
    bool many_nodes = false;
    double events_per_second = 500;
    std::uint64_t seed = 0;
  };

  struct Figures {
    std::uint64_t calls = 0;             // answered with 202
    std::uint64_t for_nobody = 0;        // events in them that must reach nobody
    std::uint64_t outcomes_unknown = 0;  // calls whose connection was lost before the answer
    std::uint64_t found_stored = 0;      // of these the ones that turned out to have been accepted
    std::uint64_t repeated = 0;          // calls made again after their answer
    std::uint64_t put_off = 0;           // answered with 503
    std::uint64_t given_up = 0;          // not answered in time
  };

  // All references outlive the publisher.
  BatchPublisher(runtime::Loop& loop, bench::ConnectionRoom& room, const bench::Target& target, CampaignAudit& audit,
                 bench::Faults& faults, Plan plan);

  void start();
  // No new batch; the one under way is repeated until it is answered.
  void finish() { finishing_ = true; }
  [[nodiscard]] bool has_finished() const { return finishing_ && body_.empty(); }
  // Once it has finished: what its users' snapshots must hold.
  void tell_open() const;
  [[nodiscard]] const Figures& figures() const { return figures_; }

 private:
  void on_idle(bench::RestClient&) override;
  void on_answer(bench::RestClient&, int status, std::string_view body) override;
  void on_lost(bench::RestClient&, std::string_view why) override;
  void on_timer() override;

  void connect();
  void go_on();
  void make_batch();
  void append_event();
  void on_accepted(std::string_view body);
  [[nodiscard]] bool is_plausible(std::uint64_t accepted, std::uint64_t duplicates) const;
  void tell_audit(void (CampaignAudit::*what)(const Mark& last)) const;
  [[nodiscard]] std::uint32_t random(std::uint32_t below) { return static_cast<std::uint32_t>(random_() % below); }

  runtime::Loop& loop_;
  const bench::Target& target_;
  CampaignAudit& audit_;
  bench::Faults& faults_;
  Plan plan_;
  std::mt19937_64 random_;
  bench::RestClient client_;
  runtime::Timer timer_{*this};
  std::vector<UserEvents> streams_;
  Mark signals_, alerts_;  // the last that went to all
  MonoTime started_;
  double made_ = 0;

  std::string body_;                // of the call under way, empty when none is
  std::uint64_t in_body_ = 0;       // events
  std::uint64_t ours_in_body_ = 0;  // without those for nobody
  bool posted_ = false;             // and not answered
  bool in_doubt_ = false;           // it was posted before, and nobody knows what became of it
  bool stored_ = false;             // it was answered, and is repeated for the repetition's sake
  bool idle_ = false;
  bool finishing_ = false;
  Figures figures_;
};

}  // namespace carillon::campaign
