#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>

#include "load/report.hpp"
#include "load/server_probe.hpp"
#include "load/target.hpp"

// Each scenario is one run against a server that is up, and blocks until it is over.
namespace carillon::bench {

// Clients of as many users get a third each of signals, order updates and alerts, published at a steady rate.
struct MixedOptions {
  std::uint32_t clients = 1000;
  std::uint32_t users = 0;  // 0: as many as clients
  double events_per_second = 50;
  std::chrono::seconds duration{30};
};
[[nodiscard]] Report run_mixed(const Target& target, const ServerProbe& server, const MixedOptions& options);

// CRITICAL alerts to all, one at a time: when the first, the middle and the last client has it.
struct AlertOptions {
  std::uint32_t clients = 5000;
  std::uint32_t alerts = 5;
  std::chrono::milliseconds interval{2000};
};
[[nodiscard]] Report run_alert(const Target& target, const ServerProbe& server, const AlertOptions& options);

// What an idle authenticated connection adds to the server's resident memory, before and after it got an event.
struct MemoryOptions {
  std::uint32_t base_clients = 1000;
  std::uint32_t clients = 10000;
};
[[nodiscard]] Report run_memory(const Target& target, const ServerProbe& server, const MemoryOptions& options);

// Clients that nothing is published for, for a time: what they cost by being there.
struct HeartbeatsOptions {
  std::uint32_t clients = 10'000;
  std::chrono::seconds duration{60};
};
[[nodiscard]] Report run_heartbeats(const Target& target, const ServerProbe& server, const HeartbeatsOptions& options);

// Publishing as fast as it is answered. With batches the events are made beforehand and only numbered when sent.
struct RestOptions {
  std::uint32_t connections = 64;
  std::uint32_t events_per_call = 1;
  std::chrono::seconds duration = std::chrono::seconds(10);
};
[[nodiscard]] Report run_rest(const Target& target, const ServerProbe& server, const RestOptions& options);

// Connecting and authenticating: rounds of new clients, rounds of clients that come back with a TLS ticket, and then,
// while others are live and get events at a steady rate, new ones again, as many as there is time for.
struct StormOptions {
  std::uint32_t clients = 1000;
  std::uint32_t rounds = 5;
  std::uint32_t live_clients = 500;
  double events_per_second = 100;
  double to_all = 0.1;
  std::chrono::seconds duration{10};
};
[[nodiscard]] Report run_storm(const Target& target, const ServerProbe& server, const StormOptions& options);

// With a window of so many events the server is killed (SIGKILL), and all clients come back at once from a place some
// events of their own ago. Whoever starts the server again then says so on standard input, in a line: its start in
// nanoseconds of the monotonic clock, and its process.
struct ResumeStormOptions {
  std::uint32_t clients = 5000;
  std::size_t window_events = 1'000'000;
  std::uint32_t missed_per_client = 10;
};
[[nodiscard]] Report run_resume_storm(const Target& target, const ServerProbe& server,
                                      const ResumeStormOptions& options);

// Clients get events at a steady rate, first in quiet, then while one more client resumes, from a place very many
// events of its own ago, some times. A share of the events are signals to all, the others updates for one client each.
struct FairnessOptions {
  std::uint32_t clients = 1000;
  double events_per_second = 100;
  double to_all = 0.25;
  std::size_t replayed_events = 100'000;
  std::uint32_t replays = 3;
  std::chrono::seconds duration{25};
};
[[nodiscard]] Report run_fairness(const Target& target, const ServerProbe& server, const FairnessOptions& options);

// Some clients, on narrow links, stop reading for a time, and then read on; before that everybody reads for as long,
// twice, first to warm up. A share of the events are signals to all; of the others four in five are updates for the
// stalled clients. What a stalled client costs is what the server grows by meanwhile, less what it grew by in as long a
// time when nobody stalled.
struct StalledOptions {
  std::uint32_t clients = 2000;
  std::uint32_t stalled = 200;
  double events_per_second = 500;
  double to_all = 0.02;
  std::size_t events_before = 300'000;
  std::chrono::seconds duration{60};
};
[[nodiscard]] Report run_stalled(const Target& target, const ServerProbe& server, const StalledOptions& options);

// Clients get events at a steady rate, first in quiet, then while others misbehave in every way at once: a storm of
// handshakes, as fast as the server takes them with 64 under way, beside `hasty` ones that go when the server has
// answered; a flood of pings; connections that are half open; and some of the clients themselves, on narrow links, that
// do not read. Latencies are those of the other clients. A share
// of the events are signals to all; of the others four in five are updates for those that stall.
struct UnfriendlyOptions {
  std::uint32_t clients = 1000;
  std::uint32_t stalled = 100;
  std::uint32_t flooders = 20;
  std::uint32_t half_open = 1000;
  std::uint32_t hasty = 64;
  double events_per_second = 100;
  double to_all = 0.1;
  std::chrono::seconds duration{40};
};
[[nodiscard]] Report run_unfriendly(const Target& target, const ServerProbe& server, const UnfriendlyOptions& options);

// Publishes single events at a steady rate and kills the server (SIGKILL) meanwhile. `ids` gets the id of every event
// that was answered with 202, one a line.
struct CrashOptions {
  std::uint32_t connections = 16;
  double events_per_second = 1000;
  std::chrono::milliseconds kill_after{3000};
  std::filesystem::path ids;
};
[[nodiscard]] Report run_crash(const Target& target, const ServerProbe& server, const CrashOptions& options);

}  // namespace carillon::bench
