#include "load/handshake_storm.hpp"

#include "load/report.hpp"

namespace carillon::bench {

namespace {

constexpr std::uint32_t kClientsAtOnce = 1000;
constexpr double kPerSecondMin = 50;  // less is no storm

}  // namespace

double HandshakeStorm::connects_per_second() const {
  return connects / in_seconds(span.end - span.begin);
}

HandshakeStorm storm_until(const Target& target, std::uint32_t first_user, MonoTime end) {
  HandshakeStorm storm;
  storm.span.begin = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() < end) {
    Crowd crowd(target, {.users = kClientsAtOnce, .first_user = first_user, .scope = "orders"});
    const auto growth = crowd.grow_to(kClientsAtOnce, kHandshakesAtOnce, kConnectPatience);
    storm.connects += growth.connected;
    storm.handshakes.merge(growth.handshakes);
    storm.faults.add_all(crowd.take_faults());
  }
  storm.span.end = std::chrono::steady_clock::now();
  if (storm.connects_per_second() < kPerSecondMin) storm.faults.add("there was no storm of handshakes");
  return storm;
}

}  // namespace carillon::bench
