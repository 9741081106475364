#pragma once

#include <chrono>
#include <cstdint>

#include "fanout/peer.hpp"
#include "fanout/servers.hpp"
#include "load/report.hpp"

// Each scenario is one run against a peer that is up, and blocks until it is over.
namespace carillon::bench {

// Handshakes under way at once while clients connect.
inline constexpr std::uint32_t kHandshakesAtOnce = 64;
inline constexpr std::chrono::minutes kConnectPatience{5};
// Waited for what comes twice, when everything has come.
inline constexpr std::chrono::milliseconds kForRepeats{500};

// Events to all, in bursts.
struct BroadcastOptions {
  std::uint32_t clients = 1000;
  std::uint32_t sources = 1;   // addresses they come from
  std::uint64_t events = 200;  // measured
  std::uint32_t together = 1;
  std::uint64_t warm_up = 20;  // bursts before, one at a time
  // Between two bursts, in open loop. Zero: the next one when everybody has the last.
  std::chrono::nanoseconds interval{0};
  // Several loads share a run: each says `live` on standard output when its clients are there, and is told on standard
  // input, in monotonic nanoseconds, when the first measured burst is due. All but one of them only listen.
  bool is_shared = false;
  bool only_listens = false;
};
[[nodiscard]] Report run_broadcast(const Peer& peer, const Mark& mark, const Servers& servers,
                                   const BroadcastOptions& options);

// Updates of one user's orders, in open loop, while events to all run back to back: the server is never without one.
// carillon only.
struct TargetedOptions {
  std::uint32_t clients = 10'000;  // that get what goes to all; the one user's client comes on top
  std::uint32_t sources = 1;
  double updates_per_second = 100;
  std::chrono::seconds duration{20};
};
[[nodiscard]] Report run_targeted(const Peer& peer, const Mark& mark, const Servers& servers,
                                  const TargetedOptions& options);

}  // namespace carillon::bench
