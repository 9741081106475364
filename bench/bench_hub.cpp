// What a shard spends on a delivery before the bytes go to TLS: events that all may see, to N subscribers that take
// them at once.

#include <benchmark/benchmark.h>

#include <deque>
#include <memory>
#include <string>

#include "hub/hub.hpp"
#include "protocol/text_frame.hpp"

namespace carillon::hub {
namespace {

Grants all_grants() {
  Grants grants;
  for (const Grant grant : {Grant::signals, Grant::orders, Grant::alerts}) grants.add(grant);
  return grants;
}

struct Reader final : Subscriber {
  Reader(Hub& h, std::string& out, std::size_t number)
      : Subscriber("user-" + std::to_string(number), all_grants()), hub(h), frames(out) {
    (void)hub.subscribe(*this, {.wants_snapshot = false}, MonoTime{});
    (void)hub.read(*this, 64 * 1024, frames);
  }
  ~Reader() { hub.unsubscribe(*this); }
  void on_publications(std::uint64_t) override {
    frames.clear();
    read += hub.read(*this, 64 * 1024, frames).count;
  }
  Hub& hub;
  std::string& frames;
  std::uint64_t read = 0;
};

PublicationPtr alert(std::uint64_t sequence) {
  auto publication = std::make_shared<Publication>();
  publication->sequence = publication->ordinal = sequence;
  publication->offset = {sequence};
  publication->position.text = "p." + std::to_string(sequence);
  publication->kind = EventKind::system_alert;
  protocol::append_text_frame(publication->frame, std::string(350, 'x'));
  return publication;
}

void broadcast(benchmark::State& state) {
  const auto subscribers = static_cast<std::size_t>(state.range(0));
  const auto together = static_cast<std::uint64_t>(state.range(1));
  Hub hub({.age = std::chrono::hours{1}, .bytes = 1024 * 1024});
  hub.set_origin({"p.0"});
  std::string frames;
  std::deque<Reader> readers;
  for (std::size_t i = 0; i < subscribers; ++i) readers.emplace_back(hub, frames, i);
  std::uint64_t sequence = 0;
  for (auto _ : state) {
    std::vector<PublicationPtr> publications;
    for (std::uint64_t i = 0; i < together; ++i) publications.push_back(alert(++sequence));
    hub.publish(publications);
    while (hub.deliver(MonoTime{})) {
    }
  }
  const auto writes = static_cast<double>(state.iterations()) * static_cast<double>(subscribers);
  state.counters["per_write"] = benchmark::Counter(writes, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  if (readers.front().read != sequence) state.SkipWithError("events were lost");
}
BENCHMARK(broadcast)->Args({5000, 1})->Args({5000, 10})->Args({100, 1})->Args({100, 10});

}  // namespace
}  // namespace carillon::hub

BENCHMARK_MAIN();
