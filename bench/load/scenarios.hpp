#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>

#include "load/report.hpp"
#include "load/server_probe.hpp"
#include "load/target.hpp"

// Each scenario is one run against a server that is up, and blocks until it is over.
namespace carillon::bench {

// Handshakes under way at once while clients connect.
inline constexpr std::uint32_t kHandshakesAtOnce = 64;
inline constexpr std::chrono::minutes kConnectPatience{3};

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

// Publishing as fast as it is answered. With batches the events are made beforehand and only numbered when sent.
struct RestOptions {
  std::uint32_t connections = 64;
  std::uint32_t events_per_call = 1;
  std::chrono::seconds duration = std::chrono::seconds(10);
};
[[nodiscard]] Report run_rest(const Target& target, const ServerProbe& server, const RestOptions& options);

// Connecting and authenticating, again and again for so many clients each time.
struct StormOptions {
  std::uint32_t clients = 1000;
  std::uint32_t rounds = 5;
};
[[nodiscard]] Report run_storm(const Target& target, const ServerProbe& server, const StormOptions& options);

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
