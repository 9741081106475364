// What one event costs between the log and the frame, on one core: read and check the envelope, write it again, write
// the notification.

#include <benchmark/benchmark.h>

#include <string>
#include <string_view>

#include "base/json.hpp"
#include "protocol/client_message.hpp"
#include "protocol/envelope.hpp"
#include "protocol/server_message.hpp"

namespace {

using namespace carillon;

constexpr std::string_view kOrderUpdate =
    R"({"id":"order-agent-7-000000042","event":"order_update","timestamp":"2026-11-22T12:00:00.123Z",)"
    R"("user_id":"alice","payload":{"order_id":"o-000000001","client_order_id":"c-000001",)"
    R"("instrument_id":"BTC/USDT","status":"PARTIALLY_FILLED","side":"BUY","type":"LIMIT",)"
    R"("quantity_total":1.50,"quantity_filled":0.10,"price_avg_filled":64000.10,"note":"abcdefghi"}})";
static_assert(kOrderUpdate.size() >= 345 && kOrderUpdate.size() <= 355);

const WallTime kNow = ManualClock{}.wall_now();

void parse_json(benchmark::State& state) {
  while (state.KeepRunning()) benchmark::DoNotOptimize(json::Document::parse(kOrderUpdate));
}
BENCHMARK(parse_json);

void parse_envelope(benchmark::State& state) {
  while (state.KeepRunning()) benchmark::DoNotOptimize(protocol::parse_envelope(kOrderUpdate, kNow));
}
BENCHMARK(parse_envelope);

void encode_envelope(benchmark::State& state) {
  const Event event = *protocol::parse_envelope(kOrderUpdate, kNow);
  while (state.KeepRunning()) benchmark::DoNotOptimize(protocol::encode_envelope(event));
}
BENCHMARK(encode_envelope);

void encode_notification(benchmark::State& state) {
  const Event event = *protocol::parse_envelope(kOrderUpdate, kNow);
  const Position position{"j1a2b3c4d.42"};
  while (state.KeepRunning()) benchmark::DoNotOptimize(protocol::encode_notification(event, kNow, position, false));
}
BENCHMARK(encode_notification);

void envelope_to_envelope(benchmark::State& state) {
  while (state.KeepRunning())
    benchmark::DoNotOptimize(protocol::encode_envelope(*protocol::parse_envelope(kOrderUpdate, kNow)));
}
BENCHMARK(envelope_to_envelope);

void parse_client_ping(benchmark::State& state) {
  constexpr std::string_view kPing = R"({"type":"heartbeat","event":"ping","timestamp":"2026-11-22T12:00:00.123Z"})";
  while (state.KeepRunning()) benchmark::DoNotOptimize(protocol::parse_client_message(kPing));
}
BENCHMARK(parse_client_ping);

}  // namespace

BENCHMARK_MAIN();
